#pragma once
#include <elfutils/libdw.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/elf_file.hpp"

namespace kdev::crash {

/// The bytes of an index (symbol_index_format.hpp) of a file that is not relocatable. `described` has 64
/// characters.
std::string build_symbol_index(Dwarf* dwarf, const std::vector<ElfSymbol>& symbols,
                               std::string_view described);

}  // namespace kdev::crash
