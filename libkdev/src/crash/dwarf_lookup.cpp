#include "crash/dwarf_lookup.hpp"

#include <dwarf.h>

namespace kdev::crash {

const DwarfLookup::Unit& DwarfLookup::read(Dwarf_Die* unit) {
  const Dwarf_Off offset = dwarf_dieoffset(unit);
  auto it = read_.find(offset);
  if (it == read_.end())
    it = read_.emplace(offset, Unit{function_ranges(unit), UnitLines(unit, sections_)}).first;
  return it->second;
}

std::vector<SourceStep> DwarfLookup::expand(Dwarf_Addr pc) {
  const DwarfRange* unit_range = find_range(units_, pc);
  Dwarf_Die unit, die;
  if (!unit_range || !dwarf_offdie(dwarf_, unit_range->die, &unit)) return {};
  const Unit& known = read(&unit);
  const DwarfRange* function = find_range(known.functions, pc);
  std::string file;
  int line = 0;
  if (const LineRow* row = known.lines.at(pc)) {
    file = known.lines.file(row->file);
    line = static_cast<int>(row->line);
  }
  if (!function || !dwarf_offdie(dwarf_, function->die, &die)) {
    // Assembly has lines, and symbols for names.
    if (line <= 0) return {};
    return {{.function = {}, .file = file, .line = line, .inlined = false}};
  }

  // From the function down to the innermost inlined one.
  std::vector<Dwarf_Die> chain{die};
  Dwarf_Die scope = die, child;
  while (dwarf_child(&scope, &child) == 0) {
    bool deeper = false;
    do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) continue;
      if (dwarf_haspc(&child, pc) <= 0) continue;
      if (tag == DW_TAG_inlined_subroutine) chain.push_back(child);
      scope = child;
      deeper = true;
      break;
    } while (dwarf_siblingof(&child, &child) == 0);
    if (!deeper || chain.size() > 200) break;
  }

  std::vector<SourceStep> steps;
  for (std::size_t i = chain.size(); i-- > 0;) {
    const char* name = dwarf_diename(&chain[i]);
    steps.push_back({.function = name ? name : "", .file = file, .line = line, .inlined = i > 0});
    if (i == 0) break;
    // Where this one was inlined is the line in the next.
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    file.clear();
    line = 0;
    if (dwarf_formudata(dwarf_attr(&chain[i], DW_AT_call_file, &attribute), &value) == 0)
      file = known.lines.file(value);
    if (dwarf_formudata(dwarf_attr(&chain[i], DW_AT_call_line, &attribute), &value) == 0)
      line = static_cast<int>(value);
  }
  return steps;
}

}  // namespace kdev::crash
