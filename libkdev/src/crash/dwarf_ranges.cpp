#include "crash/dwarf_ranges.hpp"

#include <algorithm>
#include <cstdint>

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

std::string unit_name(Dwarf_Die* die) {
  return joined(string_attribute(die, DW_AT_comp_dir), string_attribute(die, DW_AT_name));
}

}  // namespace

std::optional<Dwarf_Die> UnitReader::next() {
  Dwarf_Die die;
  std::uint8_t type = 0;
  while (!ended_) {
    ended_ = dwarf_get_units(dwarf_, cu_, &cu_, nullptr, &type, &die, nullptr) != 0;
    if (!ended_ && type == DW_UT_compile && dwarf_tag(&die) == DW_TAG_compile_unit) return die;
  }
  return std::nullopt;
}

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
  UnitReader reader(dwarf);
  while (auto die = reader.next()) add_ranges(&*die, units);
  sort_ranges(units);
  return units;
}

bool unit_by_aranges(Dwarf* dwarf, Dwarf_Addr pc, Dwarf_Die* unit) {
  Dwarf_Aranges* all = nullptr;
  Dwarf_Off offset = 0;
  if (dwarf_getaranges(dwarf, &all, nullptr) != 0) return false;
  Dwarf_Arange* found = dwarf_getarange_addr(all, pc);
  return found && dwarf_getarangeinfo(found, nullptr, nullptr, &offset) == 0 &&
         dwarf_offdie(dwarf, offset, unit) && dwarf_tag(unit) == DW_TAG_compile_unit &&
         dwarf_haspc(unit, pc) > 0;
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
  UnitReader reader(dwarf);
  while (auto die = reader.next()) names.push_back(unit_name(&*die));
  return names;
}

std::string unit_named(Dwarf* dwarf, std::string_view end) {
  UnitReader reader(dwarf);
  while (auto die = reader.next())
    if (std::string name = unit_name(&*die); name.ends_with(end)) return name;
  return {};
}

}  // namespace kdev::crash
