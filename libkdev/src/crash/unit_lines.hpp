#pragma once
// The line tables of compile units. libdw makes a list of every row and sorts it, which is most of what a
// lookup in units that were not read yet takes; those of the usual forms are read here, all others by libdw.
#include <elfutils/libdw.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kdev::crash {

/// The sections of a linked file that line tables lie in; empty ones: libdw is to be asked.
struct LineSections {
  std::string_view line, line_strings, strings;
  static LineSections of(Dwarf* dwarf);
};

struct LineRow {
  Dwarf_Addr address = 0;
  std::uint32_t file = 0, line = 0;
  bool end = false;  ///< of a sequence: nothing is known from here on
};

class UnitLines {
 public:
  UnitLines(Dwarf_Die* unit, const LineSections& sections);
  /// What holds at an address; null: nothing. As dwarf_getsrc_die() chooses.
  const LineRow* at(Dwarf_Addr pc) const;
  /// Where a row of at() has no line: the last one before it that has and whose address is the `same` code,
  /// as gdb shows it; a few rows are looked at. Null: none.
  const LineRow* before(const LineRow* row, const std::function<bool(Dwarf_Addr)>& same) const;
  const std::vector<LineRow>& rows() const { return rows_; }
  /// A file's name by its number in the unit, as absolute as the unit makes it; empty: there is none.
  std::string file(std::uint64_t number) const;

 private:
  bool read(Dwarf_Die* unit, const LineSections& sections);
  void ask_libdw(Dwarf_Die* unit);

  const char* folder_ = nullptr;  // in which the compiler ran
  std::vector<LineRow> rows_;
  std::vector<std::size_t> sequences_;  // where each ends in rows_; their addresses ascend
  std::vector<std::pair<const char*, const char*>> files_;  // folder and name; null: none
};

}  // namespace kdev::crash
