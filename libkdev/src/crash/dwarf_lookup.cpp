#include "crash/dwarf_lookup.hpp"

#include <dwarf.h>

namespace kdev::crash {
namespace {

constexpr std::size_t deepest_scope = 400;

/// From the function down to the innermost entry.
std::vector<Dwarf_Die> scopes_in(const Dwarf_Die& function, Dwarf_Addr pc) {
  std::vector<Dwarf_Die> chain{function};
  Dwarf_Die scope = function, child;
  while (chain.size() < deepest_scope && dwarf_child(&scope, &child) == 0) {
    bool deeper = false;
    do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) continue;
      if (dwarf_haspc(&child, pc) <= 0) continue;
      chain.push_back(scope = child);
      deeper = true;
      break;
    } while (dwarf_siblingof(&child, &child) == 0);
    if (!deeper) break;
  }
  return chain;
}

/// Without blocks, which are no functions.
std::vector<Dwarf_Die> inlined_at(std::vector<Dwarf_Die> scopes) {
  std::erase_if(scopes, [](Dwarf_Die& die) { return dwarf_tag(&die) == DW_TAG_lexical_block; });
  return scopes;
}

}  // namespace

const std::vector<DwarfRange>& DwarfLookup::units() {
  if (!units_) {
    own_units_ = unit_ranges(dwarf_);
    units_ = &own_units_;
  }
  return *units_;
}

bool DwarfLookup::unit_at(Dwarf_Addr pc, Dwarf_Die* unit) {
  if (!units_ && unit_by_aranges(dwarf_, pc, unit)) return true;
  const DwarfRange* range = find_range(units(), pc);
  return range && dwarf_offdie(dwarf_, range->die, unit);
}

DwarfLookup::Unit& DwarfLookup::read(Dwarf_Die* unit) {
  auto [it, fresh] = read_.try_emplace(dwarf_dieoffset(unit));
  if (fresh) it->second.functions = function_ranges(unit);
  return it->second;
}

DwarfScopes DwarfLookup::scopes(Dwarf_Addr pc) {
  DwarfScopes found{.pc = pc};
  found.covered = unit_at(pc, &found.unit);
  if (!found.covered) return found;
  const DwarfRange* function = find_range(read(&found.unit).functions, pc);
  Dwarf_Die die;
  if (function && dwarf_offdie(dwarf_, function->die, &die)) found.entries = scopes_in(die, pc);
  return found;
}

const LineRow* DwarfLookup::line_before(const LineRow* row, const Unit& unit,
                                        const std::vector<Dwarf_Die>& chain) const {
  Dwarf_Die function = chain.front(), innermost = chain.back();
  return unit.lines->before(row, [&](Dwarf_Addr at) {
    const DwarfRange* there = find_range(unit.functions, at);
    if (!there || there->die != dwarf_dieoffset(&function)) return false;
    auto other = inlined_at(scopes_in(function, at));
    return dwarf_dieoffset(&other.back()) == dwarf_dieoffset(&innermost);
  });
}

std::vector<SourceStep> DwarfLookup::expand(Dwarf_Addr pc) {
  auto found = scopes(pc);
  if (!found.covered) return {};
  Unit& known = read(&found.unit);
  if (!known.lines) known.lines.emplace(&found.unit, sections_);
  const LineRow* row = known.lines->at(pc);
  auto chain = inlined_at(std::move(found.entries));
  // Of no line: the compiler merged code of several.
  if (row && row->line == 0 && !chain.empty())
    if (const LineRow* before = line_before(row, known, chain)) row = before;
  std::string file = row ? known.lines->file(row->file) : std::string();
  int line = row ? static_cast<int>(row->line) : 0;
  if (chain.empty()) {
    // Assembly has lines, and symbols for names.
    if (line <= 0) return {};
    return {{.function = {}, .file = file, .line = line, .inlined = false}};
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
      file = known.lines->file(value);
    if (dwarf_formudata(dwarf_attr(&chain[i], DW_AT_call_line, &attribute), &value) == 0)
      line = static_cast<int>(value);
  }
  return steps;
}

}  // namespace kdev::crash
