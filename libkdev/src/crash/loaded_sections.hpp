#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/elf_file.hpp"
#include "crash/dwarf_file.hpp"

namespace kdev::crash {

/// From where an index says that a module's sections lie to where they were loaded, and back.
class LoadedSections {
 public:
  LoadedSections(const std::vector<SectionPlace>& layout, const Sections& loaded);
  /// Nothing: no section is there.
  std::optional<std::uint64_t> to_index(std::uint64_t loaded) const;
  /// Nothing: it lies in no section that was loaded.
  std::optional<std::uint64_t> to_loaded(std::uint64_t in_index) const;
  /// As to_loaded() has it; those in other sections are dropped. `end`: of the module.
  void move(std::vector<ElfSymbol>& symbols, std::uint64_t end) const;

 private:
  struct Section {
    std::uint64_t in_index = 0, size = 0;
    std::optional<std::uint64_t> loaded;  // nothing: it was not, or is no more
  };
  std::vector<Section> sections_;
};

}  // namespace kdev::crash
