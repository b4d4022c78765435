#include "debug/kernel_place.hpp"

#include <elf.h>
#include <gelf.h>

#include <algorithm>
#include <cstring>

#include "common/digest.hpp"
#include "common/elf_file.hpp"

namespace kdev::debug {
namespace {

// The kernel's text begins at a multiple of this, and its notes are not far from where they are in any other.
constexpr std::uint64_t text_align = 16u << 20;
constexpr std::size_t piece = 256u << 10;
// Owner's name of GNU notes, with its end: as long as the header's words say.
constexpr std::uint64_t page = 4096;
constexpr std::string_view elf_magic(ELFMAG, SELFMAG);
constexpr std::string_view owner("GNU\0", 4);

}  // namespace

std::optional<BuildIdPlace> find_build_id(const Path& kernel) {
  const ElfFile elf(kernel, "look for the build id");
  std::uint64_t first = ~std::uint64_t{0};
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.handle(), section));) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) && header.sh_flags & SHF_EXECINSTR)
      first = std::min(first, header.sh_addr);
  }
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.handle(), section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE || !(header.sh_flags & SHF_ALLOC))
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    GElf_Nhdr note;
    std::size_t name = 0, description = 0;
    for (std::size_t at = 0, next; data && (next = gelf_getnote(data, at, &note, &name, &description)) > 0;
         at = next) {
      const auto* bytes = static_cast<const char*>(data->d_buf);
      if (note.n_type != NT_GNU_BUILD_ID || std::string_view(bytes + name, note.n_namesz) != owner) continue;
      return BuildIdPlace{.address = header.sh_addr + at,
                          .note = std::string(bytes + at, description + note.n_descsz - at),
                          .id = hex_of({bytes + description, note.n_descsz}),
                          .first = first};
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_slide(const BuildIdPlace& place, const std::vector<std::uint64_t>& slides,
                                        const ReadMemory& read) {
  for (const std::uint64_t slide : slides)
    if (read(place.address + slide, place.note.size()) == place.note) return slide;
  return std::nullopt;
}

std::string other_build_id(const BuildIdPlace& place, const std::vector<std::uint64_t>& slides,
                           const ReadMemory& read, std::size_t limit) {
  const std::size_t header = place.note.size() - place.id.size() / 2;
  const std::string_view wanted = std::string_view(place.note).substr(0, header);
  // A program that the kernel carries with it (the vDSO) has one, too: on the page that its ELF header
  // begins.
  const auto in_program = [&](std::uint64_t at) {
    return read(at & ~(page - 1), elf_magic.size()) == elf_magic;
  };
  for (const std::uint64_t slide : slides) {
    const std::uint64_t begin = (place.address & ~(text_align - 1)) + slide;
    if (read(begin, 1).empty()) continue;
    std::string seen;
    for (std::uint64_t at = begin; at < begin + limit;) {
      const std::string bytes = read(at, piece);
      seen += bytes;
      at += bytes.size();
      for (std::size_t found = 0; (found = seen.find(wanted, found)) != std::string::npos; ++found)
        if (found + place.note.size() <= seen.size() && !in_program(at - seen.size() + found))
          return hex_of(std::string_view(seen).substr(found + header, place.id.size() / 2));
      if (bytes.size() < piece) break;
      seen.erase(0, seen.size() - place.note.size());
    }
    return {};
  }
  return {};
}

}  // namespace kdev::debug
