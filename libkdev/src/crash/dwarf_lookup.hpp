#pragma once
#include <elfutils/libdw.h>

#include <map>
#include <optional>
#include <vector>

#include "crash/dwarf_ranges.hpp"
#include "crash/source_step.hpp"
#include "crash/unit_lines.hpp"

namespace kdev::crash {

/// What covers an address: its function, then the lexical blocks and inlined functions in it, outermost
/// first.
struct DwarfScopes {
  std::vector<Dwarf_Die> entries{};
  Dwarf_Addr pc = 0;     ///< the address as libdw counts
  Dwarf_Addr bias = 0;   ///< from there to DebugInfo's addresses
  Dwarf_Die unit{};      ///< where `covered`
  bool covered = false;  ///< by a compile unit
};

/// Addresses in one Dwarf. A compile unit is read when the first of its addresses is asked for, and kept. Not
/// thread-safe, as libdw is not on one Dwarf.
class DwarfLookup {
 public:
  /// `units`: unit_ranges() of this file; null: they are read when .debug_aranges does not know an address.
  /// Both outlive it.
  explicit DwarfLookup(Dwarf* dwarf, const std::vector<DwarfRange>* units = nullptr)
      : dwarf_(dwarf), units_(units), sections_(LineSections::of(dwarf)) {}
  DwarfLookup(const DwarfLookup&) = delete;
  /// See DebugInfo::expand().
  std::vector<SourceStep> expand(Dwarf_Addr pc);
  /// Without entries where no function is.
  DwarfScopes scopes(Dwarf_Addr pc);
  const std::vector<DwarfRange>& units();

 private:
  struct Unit {
    std::vector<DwarfRange> functions;
    std::optional<UnitLines> lines;  // read when asked for
  };
  bool unit_at(Dwarf_Addr pc, Dwarf_Die* unit);
  Unit& read(Dwarf_Die* unit);
  /// The last row with a line that is of the same function, or inlined one, as `row`, which has none.
  const LineRow* line_before(const LineRow* row, const Unit& unit, const std::vector<Dwarf_Die>& chain) const;

  Dwarf* dwarf_;
  std::vector<DwarfRange> own_units_;
  const std::vector<DwarfRange>* units_;
  LineSections sections_;
  std::map<Dwarf_Off, Unit> read_;
};

}  // namespace kdev::crash
