#include "crash/register_variables.hpp"

#include <dwarf.h>

namespace kdev::crash {
namespace {

constexpr std::size_t max_variables = 4096;

}  // namespace

std::vector<ScopedVariable> variables_in(const std::vector<Dwarf_Die>& scopes) {
  std::vector<ScopedVariable> list;
  for (std::size_t i = scopes.size(); i-- > 0;) {
    Dwarf_Die scope = scopes[i], child;
    if (dwarf_child(&scope, &child) != 0) continue;
    do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_formal_parameter && tag != DW_TAG_variable) continue;
      const char* name = dwarf_diename(&child);
      if (!name) continue;
      if (list.size() == max_variables) return list;
      list.push_back({name, child, tag == DW_TAG_formal_parameter});
    } while (dwarf_siblingof(&child, &child) == 0);
  }
  return list;
}

std::optional<InRegister> register_of(const ScopedVariable& variable, Dwarf_Addr pc) {
  Dwarf_Die die = variable.die;
  Dwarf_Attribute attribute;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr(&die, DW_AT_location, &attribute)) return std::nullopt;
  if (dwarf_getlocation_addr(&attribute, pc, &ops, &count, 1) != 1 || count == 0) return std::nullopt;
  const auto atom = ops[0].atom;
  if (count == 1) {
    if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) return InRegister{atom - DW_OP_reg0, 0};
    if (atom == DW_OP_regx) return InRegister{static_cast<int>(ops[0].number), 0};
    return std::nullopt;
  }
  if (count == 2 && ops[1].atom == DW_OP_stack_value && atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
    return InRegister{atom - DW_OP_breg0, static_cast<std::int64_t>(ops[0].number)};
  return std::nullopt;
}

std::optional<std::uint64_t> static_address(const ScopedVariable& variable) {
  Dwarf_Die die = variable.die;
  Dwarf_Attribute attribute;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr_integrate(&die, DW_AT_location, &attribute)) return std::nullopt;
  if (dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 1 || ops[0].atom != DW_OP_addr)
    return std::nullopt;
  return ops[0].number;
}

}  // namespace kdev::crash
