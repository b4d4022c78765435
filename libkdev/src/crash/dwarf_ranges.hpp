#pragma once
// Address ranges of DWARF's entries, for whoever looks an address up in them and for whoever makes an index
// of all: both have to choose alike where ranges overlap.
#include <dwarf.h>
#include <elfutils/libdw.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::crash {

struct DwarfRange {
  Dwarf_Addr low = 0, high = 0;
  Dwarf_Off die = 0;
  bool covers(Dwarf_Addr pc) const { return low <= pc && pc < high; }
};

/// The compile units one by one, in their order. Getting to one costs as much as reading its abbreviations:
/// of a kernel's thousand, whoever needs a few should stop early.
class UnitReader {
 public:
  /// `dwarf`: null has none.
  explicit UnitReader(Dwarf* dwarf) : dwarf_(dwarf), ended_(!dwarf) {}
  /// Nothing: that was the last.
  std::optional<Dwarf_Die> next();

 private:
  Dwarf* dwarf_;
  Dwarf_CU* cu_ = nullptr;
  bool ended_;
};

/// Appends those of an entry, without empty ones.
void add_ranges(Dwarf_Die* die, std::vector<DwarfRange>& out);
/// By `low`.
void sort_ranges(std::vector<DwarfRange>& ranges);
/// The range that covers `pc` in a sorted list; null: none. Ranges of compile units and of functions hardly
/// ever overlap; where they do, the one that starts last wins.
const DwarfRange* find_range(const std::vector<DwarfRange>& ranges, Dwarf_Addr pc);

/// The compile units' ranges, sorted. Read from the units themselves: .debug_aranges is optional, and
/// compilers other than GCC leave it out.
std::vector<DwarfRange> unit_ranges(Dwarf* dwarf);
/// The unit at an address as .debug_aranges has it, if the unit's own ranges agree: much faster than all of
/// them for a few addresses. False: it does not know.
bool unit_by_aranges(Dwarf* dwarf, Dwarf_Addr pc, Dwarf_Die* unit);
/// Those of the functions in a unit, sorted.
std::vector<DwarfRange> function_ranges(Dwarf_Die* unit);

/// A file's name as absolute as its compile unit makes it; empty: null was given.
std::string joined(const char* dir, const char* name);
/// Null: the entry has none.
const char* string_attribute(Dwarf_Die* die, unsigned name);
/// The source files of all compile units, in their order.
std::vector<std::string> unit_names(Dwarf* dwarf);
/// The first of them that ends so; empty: none does.
std::string unit_named(Dwarf* dwarf, std::string_view end);

}  // namespace kdev::crash
