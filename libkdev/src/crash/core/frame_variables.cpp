#include "crash/core/frame_variables.hpp"

#include <dwarf.h>

#include <map>

#include "common/json.hpp"
#include "crash/dwarf_type.hpp"
#include "crash/dwarf_value.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t max_entries = 1000;

bool is_variable(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_formal_parameter || tag == DW_TAG_variable;
}

bool refers(Dwarf_Die& die, unsigned attribute, Dwarf_Die& to) {
  Dwarf_Attribute found;
  return dwarf_formref_die(dwarf_attr(&die, attribute, &found), &to) != nullptr;
}

std::vector<Dwarf_Die> children_of(Dwarf_Die& die, bool (*wanted)(Dwarf_Die&)) {
  std::vector<Dwarf_Die> list;
  Dwarf_Die child;
  if (dwarf_child(&die, &child) == 0) do {
      if (wanted(child)) list.push_back(child);
    } while (list.size() < max_entries && dwarf_siblingof(&child, &child) == 0);
  return list;
}

/// A scope's own, and those that its abstract instance has besides: of these, nothing is left.
std::vector<Dwarf_Die> variables_in(Dwarf_Die& scope) {
  auto own = children_of(scope, is_variable);
  Dwarf_Die origin;
  if (!refers(scope, DW_AT_abstract_origin, origin)) return own;
  std::map<Dwarf_Off, std::size_t> instances;
  for (std::size_t i = 0; i < own.size(); ++i)
    if (Dwarf_Die of; refers(own[i], DW_AT_abstract_origin, of)) instances.emplace(dwarf_dieoffset(&of), i);
  std::vector<Dwarf_Die> all;
  std::vector<bool> used(own.size());
  for (auto& abstract : children_of(origin, is_variable)) {
    const auto it = instances.find(dwarf_dieoffset(&abstract));
    all.push_back(it == instances.end() ? abstract : own[it->second]);
    if (it != instances.end()) used[it->second] = true;
  }
  for (std::size_t i = 0; i < own.size(); ++i)
    if (!used[i]) all.push_back(own[i]);
  return all;
}

bool is_call_site(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

bool is_call_parameter(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_call_site_parameter || tag == DW_TAG_GNU_call_site_parameter;
}

/// The call that returns to an address.
std::optional<Dwarf_Die> call_site(const DwarfScopes& scopes, Dwarf_Addr return_pc) {
  for (auto scope = scopes.entries.rbegin(); scope != scopes.entries.rend(); ++scope) {
    Dwarf_Die entry = *scope;
    for (auto& site : children_of(entry, is_call_site)) {
      Dwarf_Attribute attribute;
      Dwarf_Addr at = 0;
      // GNU's, before DWARF 5, has the return address where others have their beginning.
      for (const unsigned name : {DW_AT_call_return_pc, DW_AT_low_pc})
        if (dwarf_formaddr(dwarf_attr(&site, name, &attribute), &at) == 0 && at == return_pc) return site;
    }
  }
  return std::nullopt;
}

bool is_child(Dwarf_Die& die, Dwarf_Die& of) {
  for (auto& child : children_of(of, is_variable))
    if (dwarf_dieoffset(&child) == dwarf_dieoffset(&die)) return true;
  return false;
}

bool same_function(Dwarf_Die a, Dwarf_Die b) {
  if (dwarf_dieoffset(&a) == dwarf_dieoffset(&b)) return true;
  const char *one = dwarf_diename(&a), *other = dwarf_diename(&b);
  return one && other && std::string_view(one) == other;
}

}  // namespace

const VariableReader::Context* VariableReader::context(std::size_t i) {
  if (i >= stack_.size()) return nullptr;
  auto& known = contexts_[i];
  if (!known) {
    known.emplace();
    const Activation& a = stack_[i];
    const auto pc = a.return_address ? a.pc - 1 : a.pc;
    const auto place = image_.at(pc);
    if (place.info && place.info->dwarf()) {
      known->scopes = place.info->scopes(pc - place.slide);
      known->frame = {.memory = &view_,
                      .registers = &a.registers,
                      .cfa = unwinder_.cfa(a.registers),
                      .pc = known->scopes.pc,
                      .slide = place.slide + known->scopes.bias};
      if (!known->scopes.entries.empty()) known->frame.function = known->scopes.entries.front();
      known->frame.at_entry = [this, i](int reg, DwarfLimits& limits) { return at_entry(i, reg, limits); };
    }
  }
  return known->scopes.entries.empty() ? nullptr : &*known;
}

/// Not where the function that was called has become another one by a jump at its end.
bool VariableReader::calls(Dwarf_Die& site, const Context& caller, const Context& callee,
                           DwarfLimits& limits) const {
  Dwarf_Die called, function = *callee.frame.function;
  for (const unsigned name : {DW_AT_call_origin, DW_AT_abstract_origin})
    if (refers(site, name, called)) return same_function(called, function);
  Dwarf_Attribute attribute;
  Dwarf_Addr entry = 0;
  for (const unsigned name : {DW_AT_call_target, DW_AT_GNU_call_site_target})
    if (dwarf_attr(&site, name, &attribute) && dwarf_entrypc(&function, &entry) == 0)
      return number_at(locate(attribute, caller.frame, limits)) == entry + callee.frame.slide;
  return false;
}

std::optional<std::uint64_t> VariableReader::at_entry(std::size_t i, int reg, DwarfLimits& limits) {
  if (i + 1 >= stack_.size() || !stack_[i + 1].return_address) return std::nullopt;
  const Context *callee = context(i), *caller = context(i + 1);
  if (!callee || !caller) return std::nullopt;
  auto site = call_site(caller->scopes, caller->scopes.pc + 1);
  if (!site || !calls(*site, *caller, *callee, limits)) return std::nullopt;
  for (auto& parameter : children_of(*site, is_call_parameter)) {
    Dwarf_Attribute attribute;
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    if (--limits.operations < 0 || !dwarf_attr(&parameter, DW_AT_location, &attribute) ||
        dwarf_getlocation(&attribute, &ops, &count) != 0 || named_register(ops, count) != reg)
      continue;
    for (const unsigned name : {DW_AT_call_value, DW_AT_GNU_call_site_value})
      if (dwarf_attr(&parameter, name, &attribute))
        return number_at(locate(attribute, caller->frame, limits));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> VariableReader::argument_at_entry(Dwarf_Die& argument, Dwarf_Attribute& location,
                                                               std::size_t i, DwarfLimits& limits) {
  Dwarf_Die function = *context(i)->frame.function;
  Dwarf_Addr first = 0;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  // Those of inlined functions begin somewhere else.
  if (dwarf_tag(&argument) != DW_TAG_formal_parameter || !is_child(argument, function) ||
      dwarf_entrypc(&function, &first) != 0 || dwarf_getlocation_addr(&location, first, &ops, &count, 1) != 1)
    return std::nullopt;
  const auto reg = named_register(ops, count);
  return reg ? at_entry(i, *reg, limits) : std::nullopt;
}

std::optional<Variable> VariableReader::read(Dwarf_Die& entry, std::size_t i) {
  const Context* c = context(i);
  const char* name = dwarf_diename(&entry);
  Dwarf_Die type;
  if (!c || !name || dwarf_hasattr(&entry, DW_AT_declaration) || --left_ < 0) return std::nullopt;
  Variable v{.name = json::utf8(name), .value = {}, .type = json::utf8(type_name(entry))};
  DwarfLimits limits;
  Dwarf_Attribute attribute;
  DwarfLocation location{{}};
  for (const unsigned where : {DW_AT_location, DW_AT_const_value})
    if (dwarf_attr_integrate(&entry, where, &attribute)) {
      location = locate(attribute, c->frame, limits);
      if (location.size() > 1 || location[0].kind != DwarfPiece::Kind::optimized_out) break;
      if (const auto value = argument_at_entry(entry, attribute, i, limits)) {
        v.name += "@entry";
        location = {{.kind = DwarfPiece::Kind::value,
                     .bytes = std::string(reinterpret_cast<const char*>(&*value), sizeof(*value))}};
      }
      break;
    }
  if (location.size() == 1 && location[0].kind == DwarfPiece::Kind::memory) v.address = location[0].address;
  const auto size = type_of(entry, type) ? size_of_type(type) : std::nullopt;
  if (!size) {
    v.value = "<incomplete type>";
    v.available = false;
    return v;
  }
  const auto bytes = fetch(location, *size, view_);
  v.available = *size == 0;
  for (const auto kind : bytes.kinds) v.available |= kind == DwarfPiece::Kind::value;
  const auto symbol = [this](std::uint64_t address) {
    return rules_.is_kernel_address(address) ? image_.name_of(address) : std::string();
  };
  v.value = json::utf8(value_text(type, bytes, {.memory = &view_, .symbol = symbol}));
  return v;
}

void VariableReader::add_scope(Dwarf_Die& scope, std::size_t i, FrameVariables& to) {
  std::vector<Variable> locals;
  for (auto& entry : variables_in(scope))
    if (auto v = read(entry, i))
      (dwarf_tag(&entry) == DW_TAG_formal_parameter ? to.args : locals).push_back(std::move(*v));
  // Those of inner blocks come first.
  to.locals.insert(to.locals.begin(), std::make_move_iterator(locals.begin()),
                   std::make_move_iterator(locals.end()));
}

std::vector<FrameVariables> VariableReader::of(std::size_t i) {
  std::vector<FrameVariables> frames;
  const Context* c = context(i);
  if (!c) return frames;
  for (Dwarf_Die scope : c->scopes.entries) {
    if (frames.empty() || dwarf_tag(&scope) == DW_TAG_inlined_subroutine)
      frames.insert(frames.begin(), FrameVariables());
    add_scope(scope, i, frames.front());
  }
  return frames;
}

}  // namespace kdev::crash
