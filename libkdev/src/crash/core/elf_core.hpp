#pragma once
#include <memory>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// An ELF core file (64 bit, little-endian, x86-64) whose segments are physical memory; null: the file is
/// none. Virtual addresses are translated once set_page_tables() was called. `abi`: the OS ABI in its header.
/// FormatError: it is one, beyond use.
std::unique_ptr<guest::CoreMemory> open_elf_core(const guest::CoreBytes& bytes, int* abi);

}  // namespace kdev::crash
