#pragma once
#include <elfutils/libdw.h>

#include <map>
#include <vector>

#include "crash/dwarf_ranges.hpp"
#include "crash/source_step.hpp"
#include "crash/unit_lines.hpp"

namespace kdev::crash {

/// Addresses in one Dwarf. A compile unit is read when the first of its addresses is asked for, and kept. Not
/// thread-safe, as libdw is not on one Dwarf.
class DwarfLookup {
 public:
  /// `units`: unit_ranges() of this file. Both outlive it.
  DwarfLookup(Dwarf* dwarf, const std::vector<DwarfRange>& units)
      : dwarf_(dwarf), units_(units), sections_(LineSections::of(dwarf)) {}
  /// See DebugInfo::expand().
  std::vector<SourceStep> expand(Dwarf_Addr pc);

 private:
  struct Unit {
    std::vector<DwarfRange> functions;
    UnitLines lines;
  };
  const Unit& read(Dwarf_Die* unit);

  Dwarf* dwarf_;
  const std::vector<DwarfRange>& units_;
  LineSections sections_;
  std::map<Dwarf_Off, Unit> read_;
};

}  // namespace kdev::crash
