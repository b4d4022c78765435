#include "crash/register_origin.hpp"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>

#include "crash/dwarf_members.hpp"
#include "crash/dwarf_type.hpp"

namespace kdev::crash {
namespace {

using Effect = Instruction::Effect;

constexpr std::size_t max_code = 64 << 10;
constexpr int max_depth = 6, max_back = 200;
/// As a call may change them, System V ABI for AMD64, figure 3.4: rax, rdx, rcx, rsi, rdi, r8 to r11. Those
/// of arm64 are x0 to x18 and x30: a superset is as good.
bool lost_in_call(int reg) {
  return reg != 3 && reg != 6 && reg != 7 && !(reg >= 12 && reg <= 15);
}

}  // namespace

std::optional<Reached> reach(const Origin& origin, std::int64_t displacement, unsigned size) {
  Dwarf_Die to;
  if (!origin.typed || !pointee(origin.type, to)) return std::nullopt;
  Reached r;
  r.pointer = origin.expression;
  r.type = to;
  Dwarf_Die pointer = origin.type;
  peel(pointer);
  r.structure = type_name(pointer);
  for (const std::string_view word : {"const ", "volatile "})
    if (r.structure.starts_with(word)) r.structure.erase(0, word.size());
  r.offset = origin.plus + displacement;
  if (r.offset < 0) return r;
  const auto offset = static_cast<std::uint64_t>(r.offset);
  if (is_structure(to)) {
    if (const auto member = member_at(to, offset, size)) {
      r.known = true;
      r.member = member->path;
      r.expression = fmt::format("{}->{}", origin.expression, member->path);
      r.type = member->type;
    }
    return r;
  }
  const auto step = size_of_type(to);
  if (step && *step && offset % *step == 0) {
    r.known = true;
    r.expression =
        offset == 0 ? "*" + origin.expression : fmt::format("{}[{}]", origin.expression, offset / *step);
  }
  return r;
}

FunctionCode::FunctionCode(const DebugInfo& info, const Disassembler& disassembler, std::uint64_t pc,
                           const std::function<std::string(std::uint64_t, std::size_t)>& code)
    : info_(info), disassembler_(disassembler) {
  const auto* symbol = info.covering(pc);
  if (!symbol) return;
  const auto size = std::min<std::uint64_t>(std::max(symbol->size, symbol->extent), max_code);
  code_ = disassembler.all(code(symbol->address, size), symbol->address);
  for (const auto& i : code_)
    if (i.target && i.effect != Effect::call && *i.target - symbol->address < size)
      joins_.push_back(*i.target);
  std::sort(joins_.begin(), joins_.end());
}

int FunctionCode::at(std::uint64_t address) const {
  const auto it = std::lower_bound(code_.begin(), code_.end(), address,
                                   [](const Instruction& i, std::uint64_t a) { return i.address < a; });
  return it != code_.end() && it->address == address ? static_cast<int>(it - code_.begin()) : -1;
}

int FunctionCode::ending_at(std::uint64_t address) const {
  const auto it = std::lower_bound(code_.begin(), code_.end(), address,
                                   [](const Instruction& i, std::uint64_t a) { return i.address < a; });
  if (it == code_.begin()) return -1;
  const auto before = it - 1;
  return before->address + before->size == address ? static_cast<int>(before - code_.begin()) : -1;
}

bool FunctionCode::joined(int i) const {
  return std::binary_search(joins_.begin(), joins_.end(), (*this)[i].address);
}

std::vector<ScopedVariable> FunctionCode::variables(int i) const {
  return variables_in(info_.scopes((*this)[i].address).entries);
}

/// Of several the one that says most: pointers to structures, then other pointers.
std::optional<Origin> FunctionCode::variable(int reg, int i) const {
  const auto scopes = info_.scopes((*this)[i].address);
  std::optional<Origin> best;
  int best_score = -1;
  for (auto& v : variables_in(scopes.entries)) {
    const auto place = register_of(v, scopes.pc);
    if (!place || place->number != reg) continue;
    Origin o;
    o.expression = v.name;
    o.plus = -place->plus;
    o.typed = type_of(v.die, o.type);
    Dwarf_Die to;
    const bool pointer = o.typed && pointee(o.type, to);
    const int score = !pointer ? 0 : (is_structure(to) ? 4 : 2) + (o.plus == 0 ? 1 : 0);
    if (score > best_score) best = std::move(o), best_score = score;
  }
  return best;
}

std::optional<Origin> FunctionCode::global(std::uint64_t address, int i) const {
  const auto* symbol = info_.data_around(address);
  auto scopes = info_.scopes((*this)[i].address);
  Dwarf_Die child;
  if (!symbol || !scopes.covered || dwarf_child(&scopes.unit, &child) != 0) return std::nullopt;
  do {
    const char* have = dwarf_tag(&child) == DW_TAG_variable ? dwarf_diename(&child) : nullptr;
    if (!have || symbol->name != have) continue;
    Origin o;
    o.expression = symbol->name;
    o.typed = type_of(child, o.type);
    if (o.typed && is_structure(o.type)) {
      const auto member = member_at(o.type, address - symbol->address, 8);
      if (!member || member->within) return std::nullopt;
      o.expression += "." + member->path;
      o.type = member->type;
    } else if (symbol->address != address) {
      return std::nullopt;
    }
    return o;
  } while (dwarf_siblingof(&child, &child) == 0);
  return std::nullopt;
}

std::optional<Origin> FunctionCode::loaded(const Instruction& insn, int i, int depth) const {
  if (insn.memory.size() != 1) return std::nullopt;
  const auto& m = insn.memory[0];
  if (m.index >= 0) return std::nullopt;
  if (m.relative) {
    if (m.base >= 0) return std::nullopt;  // of a segment
    return global(insn.address + insn.size + static_cast<std::uint64_t>(m.displacement), i);
  }
  // An absolute address: where the kernel lies in the last 2 GiB, that is a variable, too.
  if (m.base < 0) return global(static_cast<std::uint64_t>(m.displacement), i);
  const auto from = origin(m.base, i, depth + 1);
  if (!from || from->shadow) return std::nullopt;
  const auto member = reach(*from, m.displacement, 8);
  if (!member || !member->known) return std::nullopt;
  Origin o;
  o.expression = member->expression;
  o.type = member->type;
  o.typed = true;
  o.certain = from->certain;
  o.from = *member;
  return o;
}

/// `i`: the instruction that changes the register.
std::optional<Origin> FunctionCode::defined_by(int reg, int i, int depth) const {
  const auto& insn = (*this)[i];
  if (insn.effect == Effect::call) {
    if (reg != disassembler_.result() || !insn.target) return std::nullopt;
    auto scopes = info_.scopes(*insn.target);
    const auto* callee = info_.covering(*insn.target);
    if (scopes.entries.empty() || !callee || callee->address != *insn.target) return std::nullopt;
    Origin o;
    o.expression = fmt::format("{}()", callee->name);
    o.typed = type_of(scopes.entries[0], o.type);
    return o;
  }
  if (insn.to != reg) return std::nullopt;
  if (insn.effect == Effect::load) return loaded(insn, i, depth);
  if (insn.effect == Effect::copy) return origin(insn.from, i, depth + 1);
  std::optional<Origin> o;
  if (insn.effect == Effect::address && insn.memory.size() == 1 && insn.memory[0].base >= 0 &&
      insn.memory[0].index < 0 && !insn.memory[0].relative) {
    o = origin(insn.memory[0].base, i, depth + 1);
    if (o) o->plus += insn.memory[0].displacement;
  } else if (insn.added) {
    o = origin(reg, i, depth + 1);
    if (o) o->plus += *insn.added;
  } else if (insn.shadow) {
    o = origin(reg, i, depth + 1);
    if (o) o->shadow = true;
  }
  return o;
}

std::optional<Origin> FunctionCode::origin(int reg, int i, int depth) const {
  if (depth > max_depth || i < 0) return std::nullopt;
  bool certain = true;
  for (int at = i, back = 0; back < max_back; --at, ++back) {
    if (auto o = variable(reg, at)) {
      Dwarf_Die to;
      // A number may be an address, of which the load before says more.
      if (o->typed && pointee(o->type, to)) {
        o->certain &= certain;
        return o;
      }
    }
    if (at == 0) break;
    certain &= !joined(at);
    const auto& before = (*this)[at - 1];
    if (before.ends_block) break;
    const bool changes =
        std::find(before.written.begin(), before.written.end(), reg) != before.written.end() ||
        (before.effect == Effect::call && lost_in_call(reg));
    if (!changes) continue;
    auto o = defined_by(reg, at - 1, depth);
    if (o) o->certain &= certain;
    return o;
  }
  return std::nullopt;
}

}  // namespace kdev::crash
