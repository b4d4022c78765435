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

class ElfCore final : public PagedMemory {
 public:
  ElfCore(const guest::CoreBytes& bytes, const Elf64_Ehdr& header) : bytes_(bytes) {
    std::vector<Elf64_Phdr> list(header.e_phnum);
    for (std::size_t i = 0; i < list.size(); ++i)
      if (!bytes.read(header.e_phoff + i * sizeof(Elf64_Phdr), &list[i], sizeof(Elf64_Phdr))) {
        problems_.push_back("the file is cut off within its program headers");
        list.resize(i);
        break;
      }
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
    }
    if (cut) problems_.push_back("the file is cut off: not all of its memory is there");
    std::sort(segments_.begin(), segments_.end(),
              [](const Segment& a, const Segment& b) { return a.address < b.address; });
  }

  std::string format() const override { return "elf"; }
  std::string arch() const override { return "x86_64"; }
  std::vector<std::string> problems() const override { return problems_; }
  std::vector<guest::CoreNote> notes() const override { return notes_; }
  bool made_by_machine() const override { return crash::made_by_machine(notes_); }
  std::uint64_t physical_end() const override {
    return segments_.empty() ? 0 : segments_.back().address + segments_.back().size;
  }

  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    char* out = static_cast<char*>(to);
    while (size) {
      auto it = std::upper_bound(segments_.begin(), segments_.end(), address,
                                 [](std::uint64_t a, const Segment& s) { return a < s.address; });
      if (it == segments_.begin() || address - (--it)->address >= it->size) return false;
      const auto at = address - it->address;
      const auto n = std::min<std::uint64_t>(size, it->size - at);
      if (!bytes_.read(it->offset + at, out, n)) return false;
      out += n;
      address += n;
      size -= n;
    }
    return true;
  }

 private:
  void read_notes(const Elf64_Phdr& h);

  struct Segment {
    std::uint64_t address, size, offset;
  };
  const guest::CoreBytes& bytes_;
  std::vector<Segment> segments_;
  std::vector<std::string> problems_;
  std::vector<guest::CoreNote> notes_;
};

void ElfCore::read_notes(const Elf64_Phdr& h) {
  std::string all(std::min<std::uint64_t>(h.p_filesz, max_notes), '\0');
  if (!bytes_.read(h.p_offset, all.data(), all.size()))
    problems_.push_back("the file is cut off within its notes");
  else if (!read_elf_notes(all, notes_))
    problems_.push_back("a note is longer than the notes are");
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
                       .reason = fmt::format("it is of machine {}, class {}: not x86-64", h.e_machine,
                                             static_cast<int>(h.e_ident[EI_CLASS])),
                       .hint = "",
                       .log = {}});
  *abi = h.e_ident[EI_OSABI];
  return std::make_unique<ElfCore>(bytes, h);
}

}  // namespace kdev::crash
