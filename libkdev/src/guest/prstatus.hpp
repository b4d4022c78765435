#pragma once
#include <optional>

#include "guest/core_rules.hpp"

namespace kdev::guest {

/// The note of x86-64 that debuggers take a thread's registers from: struct elf_prstatus
/// (include/linux/elfcore.h).
struct Prstatus {
  std::uint32_t tid = 0;  ///< of a machine's own notes: the CPU's number + 1
  Registers registers{};
  bool user_mode = false;
};

inline constexpr std::size_t prstatus_size = 336;

/// Nothing: the note is another.
std::optional<Prstatus> read_prstatus(const CoreNote& note);
/// All that a dump has.
std::vector<Prstatus> prstatus_notes(const CoreMemory& memory);
/// `known`: the dump's own notes. One with the same registers is taken over, with all that Registers leave
/// out; else those are zero. No registers: all are.
CoreNote write_prstatus(std::uint32_t tid, const std::optional<Registers>& registers,
                        const std::vector<CoreNote>& known);

}  // namespace kdev::guest
