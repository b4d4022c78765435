#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// ELF notes, one after the other (elf(5)), added to `notes`. False: the last one is longer than what there
/// is.
bool read_elf_notes(std::string_view all, std::vector<guest::CoreNote>& notes);
/// The other way round.
std::string write_elf_notes(const std::vector<guest::CoreNote>& notes);
/// A hypervisor made the dump: it adds a note of its own for each CPU.
bool made_by_machine(const std::vector<guest::CoreNote>& notes);

}  // namespace kdev::crash
