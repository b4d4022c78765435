#include "crash/core/elf_core.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "crash/core/elf_notes.hpp"
#include "crash/core/paged_memory.hpp"

namespace kdev::crash {
namespace {

constexpr std::uint64_t max_notes = 64u << 20;

/// A part of memory in the file.
struct Segment {
  std::uint64_t address, size, offset;
  void skip(std::uint64_t n) {
    address += n;
    size -= n;
    offset += n;
  }
};
/// Virtual addresses of it.
struct Mapped : guest::Mapping {
  void skip(std::uint64_t n) {
    address += n;
    size -= n;
    physical += n;
  }
};

/// In order; of what several have, the first one counts: a file may have the same memory at many addresses.
template <class Run>
void set_apart(std::vector<Run>& runs) {
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.address < b.address; });
  std::uint64_t end = 0;
  for (auto& run : runs) {
    if (run.address < end) run.skip(std::min(run.size, end - run.address));
    end = std::max(end, run.address + run.size);
  }
  std::erase_if(runs, [](const Run& run) { return run.size == 0; });
}

/// Null: none holds the address.
template <class Run>
const Run* run_at(const std::vector<Run>& runs, std::uint64_t address) {
  auto it = std::upper_bound(runs.begin(), runs.end(), address,
                             [](std::uint64_t a, const Run& r) { return a < r.address; });
  return it != runs.begin() && address - std::prev(it)->address < std::prev(it)->size ? &*std::prev(it)
                                                                                      : nullptr;
}

class ElfCore final : public PagedMemory {
 public:
  ElfCore(const guest::CoreBytes& bytes, const Elf64_Ehdr& header);

  std::string format() const override { return "elf"; }
  std::string arch() const override { return "x86_64"; }
  std::vector<std::string> problems() const override { return problems_; }
  std::vector<guest::CoreNote> notes() const override { return notes_; }
  bool made_by_machine() const override { return crash::made_by_machine(notes_); }
  std::uint64_t physical_end() const override {
    return segments_.empty() ? 0 : segments_.back().address + segments_.back().size;
  }
  std::vector<guest::MemoryRange> physical_ranges() const override {
    std::vector<guest::MemoryRange> ranges;
    for (const auto& s : segments_) add_run(ranges, guest::MemoryRange{s.address, s.size});
    return ranges;
  }

  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    return by_run(segments_, address, to, size,
                  [this](const Segment& s, std::uint64_t at, void* p, std::size_t n) {
                    return bytes_.read(s.offset + at, p, n);
                  });
  }
  bool read_virtual(std::uint64_t address, void* to, std::size_t size) const override {
    return PagedMemory::read_virtual(address, to, size) ||
           by_run(mapped_, address, to, size,
                  [this](const Mapped& m, std::uint64_t at, void* p, std::size_t n) {
                    return read_physical(m.physical + at, p, n);
                  });
  }
  std::vector<guest::Mapping> kernel_mappings(const Deadline& deadline) const override;

 private:
  void read_headers(const Elf64_Ehdr& header, std::vector<Elf64_Phdr>& list);
  void read_notes(const Elf64_Phdr& h);

  template <class Run, class Read>
  static bool by_run(const std::vector<Run>& runs, std::uint64_t address, void* to, std::size_t size,
                     Read&& read) {
    char* out = static_cast<char*>(to);
    while (size) {
      const Run* run = run_at(runs, address);
      if (!run) return false;
      const auto at = address - run->address;
      const auto n = std::min<std::uint64_t>(size, run->size - at);
      if (!read(*run, at, out, n)) return false;
      out += n;
      address += n;
      size -= n;
    }
    return true;
  }

  const guest::CoreBytes& bytes_;
  std::vector<Segment> segments_;  // physical memory
  std::vector<Mapped> mapped_;     // what the headers say of kernels' addresses; page tables know better
  std::vector<std::string> problems_;
  std::vector<guest::CoreNote> notes_;
};

ElfCore::ElfCore(const guest::CoreBytes& bytes, const Elf64_Ehdr& header) : bytes_(bytes) {
  std::vector<Elf64_Phdr> list;
  read_headers(header, list);
  bool cut = false;
  for (const auto& h : list) {
    if (h.p_type == PT_NOTE) read_notes(h);
    if (h.p_type != PT_LOAD || h.p_filesz == 0) continue;
    Segment s{h.p_paddr, h.p_filesz, h.p_offset};
    if (s.offset >= bytes.size() || s.size > bytes.size() - s.offset) {
      cut = true;
      s.size = s.offset < bytes.size() ? bytes.size() - s.offset : 0;
    }
    if (s.size == 0 || s.address > UINT64_MAX - s.size) continue;
    segments_.push_back(s);
    const bool upper = static_cast<std::int64_t>(h.p_vaddr) < 0;
    if (upper && s.size <= ~h.p_vaddr) mapped_.push_back({{h.p_vaddr, s.address, s.size}});
  }
  if (cut) problems_.push_back("the file is cut off: not all of its memory is there");
  set_apart(segments_);
  set_apart(mapped_);
}

/// Of more than 65534 the first section header has the number (elf(5), PN_XNUM).
void ElfCore::read_headers(const Elf64_Ehdr& header, std::vector<Elf64_Phdr>& list) {
  std::uint64_t count = header.e_phnum;
  Elf64_Shdr first{};
  bool whole = true;
  if (count == PN_XNUM && header.e_shoff) {
    whole = header.e_shoff <= bytes_.size() && bytes_.read(header.e_shoff, &first, sizeof(first));
    count = first.sh_info;
  }
  const auto there =
      header.e_phoff < bytes_.size() ? (bytes_.size() - header.e_phoff) / sizeof(Elf64_Phdr) : 0;
  whole = whole && count <= there;
  list.resize(std::min(count, there));
  if (!bytes_.read(header.e_phoff, list.data(), list.size() * sizeof(Elf64_Phdr)))
    list.clear(), whole = false;
  if (!whole) problems_.push_back("the file is cut off within its program headers");
}

void ElfCore::read_notes(const Elf64_Phdr& h) {
  std::string all(std::min<std::uint64_t>(h.p_filesz, max_notes), '\0');
  if (!bytes_.read(h.p_offset, all.data(), all.size()))
    problems_.push_back("the file is cut off within its notes");
  else if (!read_elf_notes(all, notes_))
    problems_.push_back("a note is longer than the notes are");
}

/// A format that has not all page tables says the rest in its headers.
std::vector<guest::Mapping> ElfCore::kernel_mappings(const Deadline& deadline) const {
  auto mappings = PagedMemory::kernel_mappings(deadline);
  std::vector<guest::MemoryRange> walked;
  for (const auto& m : mappings) add_run(walked, guest::MemoryRange{m.address, m.size});
  std::vector<guest::MemoryRange> said;
  for (const auto& m : mapped_) add_run(said, guest::MemoryRange{m.address, m.size});
  const auto count = mappings.size();
  for (auto rest : without(said, walked)) {
    while (rest.size) {
      const Mapped* m = run_at(mapped_, rest.address);
      const auto at = rest.address - m->address, n = std::min(rest.size, m->size - at);
      mappings.push_back({rest.address, m->physical + at, n});
      rest.address += n;
      rest.size -= n;
    }
  }
  if (mappings.size() != count)
    std::sort(mappings.begin(), mappings.end(),
              [](const guest::Mapping& a, const guest::Mapping& b) { return a.address < b.address; });
  return mappings;
}

/// For messages: "aarch64 (machine 183, 64 bits)".
std::string machine_name(const Elf64_Ehdr& h) {
  static constexpr std::pair<int, std::string_view> names[]{
      {EM_X86_64, "x86-64"}, {EM_386, "i386"},    {EM_AARCH64, "aarch64"},
      {EM_ARM, "arm"},       {EM_RISCV, "riscv"}, {EM_PPC64, "ppc64"},
      {EM_PPC, "ppc"},       {EM_S390, "s390"},   {EM_MIPS, "mips"},
  };
  std::string_view name = "another machine";
  for (const auto& [number, known] : names)
    if (number == h.e_machine) name = known;
  return fmt::format("{} (machine {}, {} bits)", name, h.e_machine,
                     h.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32);
}

}  // namespace

std::unique_ptr<guest::CoreMemory> open_elf_core(const guest::CoreBytes& bytes, int* abi) {
  Elf64_Ehdr h{};
  if (!bytes.read(0, &h, sizeof(h)) ||
      std::string_view(reinterpret_cast<const char*>(h.e_ident), SELFMAG) != ELFMAG || h.e_type != ET_CORE)
    return nullptr;
  if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_machine != EM_X86_64 ||
      h.e_phentsize != sizeof(Elf64_Phdr))
    throw FormatError({.attempted = "read an ELF core file",
                       .reason = fmt::format("it is of {}: kdev reads those of x86-64", machine_name(h)),
                       .hint = "",
                       .log = {}});
  *abi = h.e_ident[EI_OSABI];
  return std::make_unique<ElfCore>(bytes, h);
}

}  // namespace kdev::crash
