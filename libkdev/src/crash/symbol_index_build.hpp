#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/elf_file.hpp"
#include "crash/dwarf_file.hpp"

namespace kdev::crash {

/// What an index is made of. Addresses are those of the DWARF.
struct IndexSource {
  Dwarf* dwarf = nullptr;
  const std::vector<ElfSymbol>& symbols;
  std::vector<SectionPlace> sections;  ///< of a relocatable file
};

/// The bytes of an index (symbol_index_format.hpp). `described` has 64 characters. Interrupted.
std::string build_symbol_index(const IndexSource& source, std::string_view described);

}  // namespace kdev::crash
