#include "guest/prstatus.hpp"

#include <elf.h>

#include <array>
#include <cstring>

namespace kdev::guest {
namespace {

/// pr_pid, and pr_reg, which is struct user_regs_struct.
constexpr std::size_t tid_at = 32, registers_at = 112;
/// Of user_regs_struct in its order: DWARF numbers; -1: none.
constexpr std::array<int, 20> dwarf{15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, -1, -1, -1, 7};
constexpr std::size_t ip = 16, cs = 17;

bool same(const Registers& a, const Registers& b) {
  const auto sp = [](const Registers& r) {
    const auto it = r.values.find(7);
    return it == r.values.end() ? 0 : it->second;
  };
  return a.pc == b.pc && sp(a) == sp(b);
}

}  // namespace

std::optional<Prstatus> read_prstatus(const CoreNote& note) {
  if (note.name != "CORE" || note.type != NT_PRSTATUS || note.data.size() < prstatus_size) return std::nullopt;
  Prstatus p;
  std::array<std::uint64_t, dwarf.size()> values{};
  std::memcpy(&p.tid, note.data.data() + tid_at, sizeof(p.tid));
  std::memcpy(values.data(), note.data.data() + registers_at, sizeof(values));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (dwarf[i] >= 0) p.registers.values[dwarf[i]] = values[i];
  p.registers.pc = values[ip];
  p.user_mode = (values[cs] & 3) != 0;
  return p;
}

std::vector<Prstatus> prstatus_notes(const CoreMemory& memory) {
  std::vector<Prstatus> list;
  for (const auto& note : memory.notes())
    if (auto p = read_prstatus(note)) list.push_back(std::move(*p));
  return list;
}

CoreNote write_prstatus(std::uint32_t tid, const std::optional<Registers>& registers,
                        const std::vector<CoreNote>& known) {
  CoreNote note{.name = "CORE", .type = NT_PRSTATUS, .data = std::string(prstatus_size, '\0')};
  if (registers) {
    std::array<std::uint64_t, dwarf.size()> values{};
    for (std::size_t i = 0; i < values.size(); ++i)
      if (const auto it = registers->values.find(dwarf[i]); it != registers->values.end())
        values[i] = it->second;
    values[ip] = registers->pc;
    std::memcpy(note.data.data() + registers_at, values.data(), sizeof(values));
    for (const auto& k : known)
      if (const auto p = read_prstatus(k); p && same(p->registers, *registers)) note.data = k.data;
  }
  std::memcpy(note.data.data() + tid_at, &tid, sizeof(tid));
  return note;
}

}  // namespace kdev::guest
