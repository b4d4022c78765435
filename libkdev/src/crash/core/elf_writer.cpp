#include "crash/core/elf_writer.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "crash/core/elf_notes.hpp"
#include "crash/core/memory_copy.hpp"
#include "host/sparse_file.hpp"

namespace kdev::crash {
namespace {

constexpr std::uint64_t page = 4096;

template <class Struct>
std::string_view raw(const Struct& s) {
  return {reinterpret_cast<const char*>(&s), sizeof(s)};
}

/// Physical memory, each byte once, and where it begins in the file.
struct Stored {
  std::vector<guest::MemoryRange> ranges;
  std::vector<std::uint64_t> offsets;

  std::uint64_t offset_of(std::uint64_t physical) const {
    const auto it =
        std::upper_bound(ranges.begin(), ranges.end(), physical,
                         [](std::uint64_t a, const guest::MemoryRange& r) { return a < r.address; });
    const auto i = static_cast<std::size_t>(it - ranges.begin()) - 1;
    return offsets[i] + (physical - ranges[i].address);
  }
};

Stored stored(const std::vector<guest::Mapping>& mappings, std::uint64_t begin) {
  Stored s;
  std::vector<guest::MemoryRange> all;
  all.reserve(mappings.size());
  for (const auto& m : mappings) all.push_back({m.physical, m.size});
  s.ranges = merged(std::move(all));
  for (const auto& r : s.ranges) {
    // Pages of memory are blocks of the file: those of zeros are its holes.
    begin += (r.address - begin) % page;
    s.offsets.push_back(begin);
    begin += r.size;
  }
  return s;
}

}  // namespace

std::uint64_t write_elf_core(const ElfContent& content, AtomicFile& to, const std::string& attempted,
                             const Deadline& deadline) {
  const std::string notes = write_elf_notes(content.notes);
  const std::uint64_t count = content.mappings.size() + 1;
  const bool many = count >= PN_XNUM;  // then the first section header has their number
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_ident[EI_OSABI] = static_cast<unsigned char>(content.abi);
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(header);
  header.e_phoff = sizeof(header) + (many ? sizeof(Elf64_Shdr) : 0);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(many ? PN_XNUM : count);
  header.e_shoff = many ? sizeof(header) : 0;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = many ? 1 : 0;
  const std::uint64_t notes_at = header.e_phoff + count * sizeof(Elf64_Phdr);
  const Stored s = stored(content.mappings, (notes_at + notes.size() + page - 1) / page * page);

  SparseWriter out(to.descriptor(), attempted);
  std::string headers(raw(header));
  if (many) headers += raw(Elf64_Shdr{.sh_info = static_cast<Elf64_Word>(count)});
  headers += raw(Elf64_Phdr{.p_type = PT_NOTE,
                            .p_offset = notes_at,
                            .p_filesz = notes.size(),
                            .p_memsz = notes.size(),
                            .p_align = 4});
  for (const auto& m : content.mappings) {
    headers += raw(Elf64_Phdr{.p_type = PT_LOAD,
                              .p_flags = PF_R | PF_W | PF_X,
                              .p_offset = s.offset_of(m.physical),
                              .p_vaddr = m.address,
                              .p_paddr = m.physical,
                              .p_filesz = m.size,
                              .p_memsz = m.size,
                              .p_align = page});
    if (headers.size() < 1u << 20) continue;
    out.write(headers);
    headers.clear();
  }
  out.write(headers + notes);
  std::uint64_t memory = 0;
  for (std::size_t i = 0; i < s.ranges.size(); ++i) {
    out.write(std::string(s.offsets[i] - out.size(), '\0'));
    copy_memory(content.memory, s.ranges[i], attempted, deadline,
                [&](std::uint64_t, std::string_view bytes) { out.write(bytes); });
    memory += s.ranges[i].size;
  }
  out.finish();
  return memory;
}

}  // namespace kdev::crash
