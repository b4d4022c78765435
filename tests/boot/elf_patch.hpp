#pragma once
// Where a kernel's image begins to run, for tests that need one that does not get far.
#include <elf.h>

#include <cstring>

#include "fixture.hpp"

namespace kdev::test {

/// File offset of the PVH entry: the physical address in the note XEN_ELFNOTE_PHYS32_ENTRY (18) of the owner
/// "Xen".
inline std::size_t pvh_entry(std::string_view image) {
  auto at = [&]<class T>(T, std::size_t offset) {
    T value{};
    if (offset + sizeof value <= image.size()) std::memcpy(&value, image.data() + offset, sizeof value);
    return value;
  };
  const auto header = at(Elf64_Ehdr{}, 0);
  std::uint64_t entry = 0;
  for (int pass : {0, 1})
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      const auto part = at(Elf64_Phdr{}, header.e_phoff + i * sizeof(Elf64_Phdr));
      if (pass == 1 && part.p_type == PT_LOAD && entry >= part.p_paddr &&
          entry < part.p_paddr + part.p_filesz)
        return part.p_offset + (entry - part.p_paddr);
      if (pass == 1 || part.p_type != PT_NOTE) continue;
      for (std::size_t note = part.p_offset; note + sizeof(Elf64_Nhdr) < part.p_offset + part.p_filesz;) {
        const auto head = at(Elf64_Nhdr{}, note);
        const std::size_t name = note + sizeof head, content = name + (head.n_namesz + 3) / 4 * 4;
        if (head.n_type == 18 && image.substr(name, 4) == std::string_view("Xen\0", 4))
          entry = at(std::uint32_t{}, content);
        note = content + (head.n_descsz + 3) / 4 * 4;
      }
    }
  return 0;
}

}  // namespace kdev::test
