#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/elf_file.hpp"
#include "crash/dwarf_file.hpp"
#include "crash/dwarf_lookup.hpp"
#include "crash/loaded_sections.hpp"
#include "crash/parallel_lookup.hpp"
#include "crash/source_step.hpp"
#include "crash/symbol_index.hpp"

namespace kdev::crash {

/// Symbols and DWARF of one kernel or module, opened at once, read when asked. Addresses are the file's own;
/// those of a module as it was loaded when its sections' are given, else as libdwfl lays them out (the same
/// for symbols and DWARF). Not thread-safe.
class DebugInfo {
 public:
  /// `index_folder`: where the file's index may lie; empty: none is used.
  DebugInfo(const Path& path, const std::string& attempted, Sections loaded = {}, Path index_folder = {});
  ~DebugInfo();

  const ElfFile& file() const { return elf_; }
  bool has_symbols() const { return !symbols_.empty(); }
  /// By address, then name; live as long as this.
  const std::vector<ElfSymbol>& symbols() const { return symbols_; }
  bool has_dwarf() const;
  /// Null: none.
  Dwarf* dwarf() const { return dwarf_.dwarf(); }
  /// .debug_frame and .eh_frame, as far as they are there.
  std::vector<CallFrames> call_frames() const { return dwarf_.call_frames(); }
  /// By name; more than one when static functions share it.
  std::vector<const ElfSymbol*> named(std::string_view name) const;
  /// The function that the address is in; null: none.
  const ElfSymbol* covering(std::uint64_t address) const;
  /// One of symbols() by its other name; null: it has no such name.
  const ElfSymbol* alias(const ElfSymbol& of, std::string_view name) const;
  /// The variable that the address is in; null: none.
  const ElfSymbol* data_around(std::uint64_t address) const;
  /// See DwarfFile::code().
  std::string code(std::uint64_t address, std::size_t size) const { return dwarf_.code(address, size); }
  /// Empty when the DWARF does not know the address. A line that is in no function, of assembly, is one step
  /// without a name.
  std::vector<SourceStep> expand(std::uint64_t address) const;
  /// Many at once, each as expand() has it; without an index, by several threads. Interrupted.
  std::vector<std::vector<SourceStep>> expand_all(const std::vector<std::uint64_t>& addresses) const;
  /// Read from the DWARF itself. Without entries where no function is.
  DwarfScopes scopes(std::uint64_t address) const;
  /// Top of the source tree, from the compile unit of `known_source`, a path relative to it; empty: there is
  /// none.
  std::string tree(std::string_view known_source) const;

  /// Whether the file's index is in use, from now on if it is there now. Until then, and where the index is
  /// damaged, all is read from the DWARF itself: the answers are the same.
  bool use_index();
  bool indexed() const { return index_ != nullptr; }
  /// Empty: none is in use.
  const Path& index_file() const { return index_file_; }
  /// See below.
  Path write_index(const Path& folder) const;

 private:
  void sort_by_name() const;
  /// Of dwarf(), which is not null.
  DwarfLookup& lookup() const;
  ElfFile elf_;
  Path index_folder_, index_file_;
  mutable DwarfFile dwarf_;
  std::unique_ptr<SymbolIndex> index_;             // before what names point into
  std::optional<LoadedSections> moved_;            // of an index: the module was loaded elsewhere
  std::vector<ElfSymbol> symbols_;                 // by address
  mutable std::vector<const ElfSymbol*> by_name_;  // empty: not sorted yet
  mutable std::optional<DwarfLookup> lookup_;
  mutable std::unique_ptr<ParallelLookup> lookups_;
};

/// Writes a file's index to a folder, unless it is there and whole. Empty: the file has no build id or no
/// DWARF. HostError when the folder cannot be written; Interrupted.
Path write_index(const ElfFile& file, const Path& folder);

}  // namespace kdev::crash
