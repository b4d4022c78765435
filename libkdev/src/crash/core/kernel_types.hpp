#pragma once
#include <elfutils/libdw.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// Layouts of a kernel's structures, from its DWARF. Compile units are read when something is looked for in
/// them, each once. Not thread-safe.
class KernelTypes {
 public:
  /// `dwarf`: null knows nothing.
  explicit KernelTypes(Dwarf* dwarf) : dwarf_(dwarf) {}
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
  void list_units();
  void index(Unit& unit);
  /// Calls `found` with each unit that may know, until it says true: those named first, then all.
  template <class Found>
  bool search(std::string_view unit, Found&& found);
  bool type(std::string_view name, std::string_view unit, Dwarf_Die& die);

  Dwarf* dwarf_;
  bool listed_ = false;
  std::vector<Unit> units_;
  std::map<std::string, std::optional<guest::Member>> members_;
};

}  // namespace kdev::crash
