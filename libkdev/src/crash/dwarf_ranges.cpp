#include "crash/dwarf_ranges.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>

namespace kdev::crash {
namespace {

constexpr int deepest_namespace = 16;

void add_functions(Dwarf_Die* parent, std::vector<DwarfRange>& out, int depth) {
  Dwarf_Die child;
  if (depth > deepest_namespace || dwarf_child(parent, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram)
      add_ranges(&child, out);
    else if (tag == DW_TAG_namespace || tag == DW_TAG_module)
      add_functions(&child, out, depth + 1);
  } while (dwarf_siblingof(&child, &child) == 0);
}

/// Until `take` returns false.
void each_unit(Dwarf* dwarf, const std::function<bool(Dwarf_Die*)>& take) {
  Dwarf_CU* cu = nullptr;
  Dwarf_Die die;
  std::uint8_t type = 0;
  while (dwarf_get_units(dwarf, cu, &cu, nullptr, &type, &die, nullptr) == 0)
    if (type == DW_UT_compile && dwarf_tag(&die) == DW_TAG_compile_unit && !take(&die)) return;
}

std::string unit_name(Dwarf_Die* unit) {
  return joined(string_attribute(unit, DW_AT_comp_dir), string_attribute(unit, DW_AT_name));
}

}  // namespace

void add_ranges(Dwarf_Die* die, std::vector<DwarfRange>& out) {
  Dwarf_Addr base = 0, low = 0, high = 0;
  ptrdiff_t at = 0;
  while ((at = dwarf_ranges(die, at, &base, &low, &high)) > 0)
    if (low < high) out.push_back({low, high, dwarf_dieoffset(die)});
}

void sort_ranges(std::vector<DwarfRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const DwarfRange& a, const DwarfRange& b) { return a.low < b.low; });
}

const DwarfRange* find_range(const std::vector<DwarfRange>& ranges, Dwarf_Addr pc) {
  auto it = std::upper_bound(ranges.begin(), ranges.end(), pc,
                             [](Dwarf_Addr a, const DwarfRange& r) { return a < r.low; });
  for (int back = 0; it != ranges.begin() && back < 8; ++back)
    if ((--it)->covers(pc)) return &*it;
  return nullptr;
}

std::vector<DwarfRange> unit_ranges(Dwarf* dwarf) {
  std::vector<DwarfRange> units;
  each_unit(dwarf, [&](Dwarf_Die* die) {
    add_ranges(die, units);
    return true;
  });
  sort_ranges(units);
  return units;
}

std::vector<DwarfRange> function_ranges(Dwarf_Die* unit) {
  std::vector<DwarfRange> functions;
  add_functions(unit, functions, 0);
  sort_ranges(functions);
  return functions;
}

std::string joined(const char* dir, const char* name) {
  if (!name) return {};
  if (name[0] == '/' || !dir || !*dir) return name;
  return std::string(dir) + "/" + name;
}

const char* string_attribute(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute attribute;
  return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

std::vector<std::string> unit_names(Dwarf* dwarf) {
  std::vector<std::string> names;
  each_unit(dwarf, [&](Dwarf_Die* die) {
    names.push_back(unit_name(die));
    return true;
  });
  return names;
}

std::string unit_named(Dwarf* dwarf, std::string_view end) {
  std::string found;
  each_unit(dwarf, [&](Dwarf_Die* die) {
    const std::string name = unit_name(die);
    if (name.ends_with(end)) found = name;
    return found.empty();
  });
  return found;
}

}  // namespace kdev::crash
