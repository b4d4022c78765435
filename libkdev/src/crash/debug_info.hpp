#pragma once
#include <elfutils/libdw.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/elf_file.hpp"
#include "crash/source_step.hpp"
#include "crash/symbol_index.hpp"

namespace kdev::crash {

/// Addresses of sections, by name.
using Sections = std::map<std::string, std::uint64_t>;

/// A file's call frame information, and what to take off an address before it is looked up there.
struct CallFrames {
  Dwarf_CFI* cfi = nullptr;
  Dwarf_Addr bias = 0;
};

/// What covers an address: its function, then the lexical blocks and inlined functions in it, outermost
/// first.
struct DwarfScopes {
  std::vector<Dwarf_Die> entries{};
  Dwarf_Addr pc = 0;     ///< the address as libdw counts
  Dwarf_Addr bias = 0;   ///< from there to DebugInfo's addresses
  Dwarf_Die unit{};      ///< where `covered`
  bool covered = false;  ///< by a compile unit
};

/// Symbols and DWARF of one kernel or module, opened at once, read when asked. Addresses are the file's own;
/// those of a module as it was loaded when its sections' are given, else as libdwfl lays them out (the same
/// for symbols and DWARF). Not thread-safe.
class DebugInfo {
 public:
  /// `index_folder`: where the file's index may lie; empty: none is used. Relocatable files have none.
  DebugInfo(const Path& path, const std::string& attempted, Sections loaded = {}, Path index_folder = {});
  ~DebugInfo();

  const ElfFile& file() const { return elf_; }
  bool has_symbols() const { return !symbols_.empty(); }
  /// By address, then name; live as long as this.
  const std::vector<ElfSymbol>& symbols() const { return symbols_; }
  bool has_dwarf() const;
  /// Null: none.
  Dwarf* dwarf() const;
  /// .debug_frame and .eh_frame, as far as they are there.
  std::vector<CallFrames> call_frames() const;
  /// By name; more than one when static functions share it.
  std::vector<const ElfSymbol*> named(std::string_view name) const;
  /// The function that the address is in; null: none.
  const ElfSymbol* covering(std::uint64_t address) const;
  /// The variable that the address is in; null: none.
  const ElfSymbol* data_around(std::uint64_t address) const;
  /// What the file has at an address, without relocations; fewer bytes, when it has fewer.
  std::string code(std::uint64_t address, std::size_t size) const;
  /// Empty when the DWARF does not know the address. A line that is in no function, of assembly, is one step
  /// without a name.
  std::vector<SourceStep> expand(std::uint64_t address) const;
  /// Read from the DWARF itself. Without entries where no function is.
  DwarfScopes scopes(std::uint64_t address) const;
  /// Top of the source tree, from the compile unit of `known_source`, a path relative to it; empty: there is
  /// none.
  std::string tree(std::string_view known_source) const;

  /// Whether the file's index is in use, from now on if it is there now. Until then, and where the index is
  /// damaged, all is read from the DWARF itself: the answers are the same.
  bool use_index();
  bool indexed() const { return index_ != nullptr; }
  /// Writes the file's index to a folder, unless it is there and whole. Empty: there is none to be had.
  Path write_index(const Path& folder) const;

 private:
  struct Dwarf_;
  void sort_by_name() const;
  ElfFile elf_;
  Path index_folder_;
  std::unique_ptr<SymbolIndex> index_;             // before what names point into
  std::vector<ElfSymbol> symbols_;                 // by address
  mutable std::vector<const ElfSymbol*> by_name_;  // empty: not sorted yet
  std::unique_ptr<Dwarf_> dwarf_;
};

}  // namespace kdev::crash
