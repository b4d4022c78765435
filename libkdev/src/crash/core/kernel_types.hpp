#pragma once
#include <elfutils/libdw.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crash/dwarf_ranges.hpp"
#include "guest/core_rules.hpp"

namespace kdev::crash {

/// Layouts of a kernel's structures, from its DWARF. Compile units are read when something is looked for in
/// them, each once. Not thread-safe.
class KernelTypes {
 public:
  /// `dwarf`: null knows nothing.
  explicit KernelTypes(Dwarf* dwarf) : dwarf_(dwarf), reader_(dwarf) {}
  /// See guest::KernelView.
  std::optional<guest::Member> member(std::string_view type, std::string_view path, std::string_view unit);
  std::optional<std::uint64_t> size_of(std::string_view type, std::string_view unit);
  std::optional<std::int64_t> enumerator(std::string_view name, std::string_view unit);

 private:
  struct Unit {
    Dwarf_Die die;
    std::string name;
    bool indexed = false;
    std::unordered_map<std::string, Dwarf_Off> types;  // that are complete
    std::unordered_map<std::string, std::int64_t> enumerators;
  };
  /// Null: there are not so many.
  Unit* unit(std::size_t number);
  void index(Unit& unit);
  /// False: no unit has anything of this name. To find that out by reading all of them takes a kernel long.
  bool mentions(const std::string& name);
  /// Calls `found` with each unit that may know the `key`, until it says true: those named first, then all.
  template <class Found>
  bool search(const std::string& key, std::string_view name, Found&& found);
  bool type(std::string_view name, std::string_view unit, Dwarf_Die& die);

  Dwarf* dwarf_;
  UnitReader reader_;
  std::vector<Unit> units_;                               // as far as they were looked at
  std::optional<std::vector<std::string_view>> strings_;  // sections with all names
  std::map<std::string, std::optional<guest::Member>> members_;
};

}  // namespace kdev::crash
