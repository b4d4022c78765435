#include "crash/core/elf_notes.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace kdev::crash {

bool read_elf_notes(std::string_view all, std::vector<guest::CoreNote>& notes) {
  const auto padded = [](std::uint64_t n) { return (n + 3) / 4 * 4; };
  while (all.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr n;
    std::memcpy(&n, all.data(), sizeof(n));
    all.remove_prefix(sizeof(n));
    const auto name = padded(n.n_namesz);
    if (name > all.size() || n.n_descsz > all.size() - name) return false;
    const auto owner = all.substr(0, n.n_namesz);
    notes.push_back({.name = std::string(owner.substr(0, owner.find('\0'))),
                     .type = n.n_type,
                     .data = std::string(all.substr(name, n.n_descsz))});
    all.remove_prefix(std::min<std::uint64_t>(all.size(), name + padded(n.n_descsz)));
  }
  return true;
}

std::string write_elf_notes(const std::vector<guest::CoreNote>& notes) {
  std::string all;
  const auto add = [&](std::string_view part) {
    all += part;
    all.resize((all.size() + 3) / 4 * 4);
  };
  for (const auto& n : notes) {
    const Elf64_Nhdr header{.n_namesz = static_cast<Elf64_Word>(n.name.size() + 1),
                            .n_descsz = static_cast<Elf64_Word>(n.data.size()),
                            .n_type = n.type};
    add({reinterpret_cast<const char*>(&header), sizeof(header)});
    add({n.name.c_str(), n.name.size() + 1});
    add(n.data);
  }
  return all;
}

bool made_by_machine(const std::vector<guest::CoreNote>& notes) {
  // cpu_write_elf64_qemu_note() in QEMU's target/i386/arch_dump.c.
  return std::any_of(notes.begin(), notes.end(), [](const guest::CoreNote& n) { return n.name == "QEMU"; });
}

}  // namespace kdev::crash
