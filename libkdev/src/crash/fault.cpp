#include "crash/fault.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>

#include "crash/dwarf_members.hpp"
#include "crash/dwarf_type.hpp"
#include "crash/register_origin.hpp"
#include "crash/title.hpp"
#include "guest/console_rules.hpp"

namespace kdev::crash {
namespace {

using Registers = std::map<std::string, std::uint64_t>;

/// Up to here an address is one of a NULL pointer's members: what no kernel maps.
constexpr std::uint64_t null_page = 64 << 10;
constexpr std::size_t max_candidates = 8;

/// A register's name and value, by its DWARF number.
std::pair<std::string, std::optional<std::uint64_t>> find(const Registers& registers, const Disassembler& d,
                                                          int number) {
  for (const auto& [name, value] : registers)
    if (d.number(name) == number) return {name, value};
  std::string name = d.name(number);
  if (!registers.count("pc") && !registers.count("x0"))
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(std::toupper(c)); });
  return {name, std::nullopt};
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The name stands in a line of source as a word, behind `front` if that is given.
bool mentions(const std::string& line, const std::string& name, std::string_view front = {}) {
  for (std::size_t at = 0; !name.empty() && (at = line.find(name, at)) != std::string::npos; ++at) {
    const bool begins = at == 0 || !is_word(line[at - 1]);
    const bool ends = at + name.size() == line.size() || !is_word(line[at + name.size()]);
    if (begins && ends && (front.empty() || std::string_view(line).substr(0, at).ends_with(front)))
      return true;
  }
  return false;
}

/// Of several operands the one that the address fits, else the first that is accessed so.
const MemoryOperand* faulting(const Instruction& insn, const FaultInfo& fault, const Registers& registers,
                              const Disassembler& d) {
  const MemoryOperand* first = nullptr;
  for (const auto& m : insn.memory) {
    if (fault.access == "write" ? !m.write : fault.access == "read" && !m.read) continue;
    if (!first) first = &m;
    const auto base = find(registers, d, m.base).second;
    if (base && fault.address && m.index < 0 &&
        *base + static_cast<std::uint64_t>(m.displacement) == *fault.address)
      return &m;
  }
  return first ? first : insn.memory.empty() ? nullptr : &insn.memory[0];
}

FaultMember member_of(const Reached& reached) {
  FaultMember m;
  m.expression = reached.expression;
  m.variable = reached.pointer;
  m.type = reached.structure;
  m.member = reached.member;
  m.offset = static_cast<std::uint64_t>(reached.offset);
  return m;
}

/// Pointers that the function knows, and those in what they point to, with a member at the offset.
std::vector<FaultMember> candidates(const std::vector<ScopedVariable>& variables, std::uint64_t offset,
                                    unsigned size, const std::string& source) {
  struct Scored {
    int score;
    FaultMember member;
  };
  std::vector<Scored> found;
  for (const auto& v : variables) {
    Origin origin;
    origin.expression = v.name;
    Dwarf_Die die = v.die, to;
    origin.typed = type_of(die, origin.type);
    if (!origin.typed || !pointee(origin.type, to) || !is_structure(to)) continue;
    const auto reached = reach(origin, static_cast<std::int64_t>(offset), size);
    if (!reached || !reached->known) continue;
    const auto name = reached->member.substr(0, reached->member.find_first_of(".["));
    const auto last = reached->member.substr(reached->member.find_last_of('.') + 1);
    const int score = (mentions(source, v.name) ? 1 : 0) + (mentions(source, name, "->") ? 2 : 0) +
                      (last != name && mentions(source, last, ".") ? 1 : 0);
    if (std::none_of(found.begin(), found.end(),
                     [&](const Scored& s) { return s.member.expression == reached->expression; }))
      found.push_back({score, member_of(*reached)});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  // Where the line names some, the others are not meant.
  if (!found.empty() && found[0].score > 1)
    std::erase_if(found, [best = found[0].score](const Scored& s) { return s.score < best; });
  std::vector<FaultMember> list;
  for (auto& s : found)
    if (list.size() < max_candidates) list.push_back(std::move(s.member));
  return list;
}

bool holds_poison(const FaultInfo& fault, const guest::FaultRules& rules, std::string& meaning) {
  if (fault.base_value) meaning = rules.meaning(*fault.base_value);
  if (meaning.empty() && fault.address) meaning = rules.meaning(*fault.address);
  return !meaning.empty();
}

int machine_of(const CrashReport& report) {
  return report.registers.count("RIP") ? EM_X86_64 : report.registers.count("x0") ? EM_AARCH64 : EM_NONE;
}

void set_operand(FaultInfo& fault, const MemoryOperand& m, const Registers& registers,
                 const Disassembler& d) {
  std::optional<std::uint64_t> base;
  std::tie(fault.base_register, base) = find(registers, d, m.base);
  fault.displacement = m.displacement;
  bool whole = true;
  if (m.index >= 0) {
    const auto index = find(registers, d, m.index).second;
    whole = index.has_value();
    if (index) fault.displacement += static_cast<std::int64_t>(*index * static_cast<std::uint64_t>(m.scale));
  }
  // Reports that print few registers leave it to be counted back.
  if (!base && whole && fault.address) base = *fault.address - static_cast<std::uint64_t>(fault.displacement);
  fault.base_value = base;
  if (!fault.address && base && whole) fault.address = *base + static_cast<std::uint64_t>(fault.displacement);
}

/// A pointer, or a shadow of one.
bool leads_somewhere(const std::optional<Origin>& origin) {
  Dwarf_Die to;
  return origin && (origin->shadow || (origin->typed && pointee(origin->type, to)));
}

/// A call of what is no code: which pointer to a function was it?
void explain_jump(FaultInfo& fault, const FunctionCode& code, int call, const Disassembler& d,
                  const DebugInfo& info, const Registers& registers) {
  const auto& insn = code[call];
  fault.instruction = insn.text;
  if (insn.memory.size() == 1 && !insn.memory[0].relative && insn.memory[0].base >= 0) {
    const auto& m = insn.memory[0];
    fault.base_register = find(registers, d, m.base).first;
    fault.displacement = m.displacement;
    const auto origin = m.index < 0 ? code.origin(m.base, call) : std::nullopt;
    const auto reached = origin ? reach(*origin, m.displacement, 8) : std::nullopt;
    if (!reached || !reached->known) return;
    fault.certain = origin->certain;
    fault.members = {member_of(*reached)};
    return;
  }
  int reg = insn.called;
  if (const auto* thunk = insn.target ? info.covering(*insn.target) : nullptr; thunk && reg < 0)
    reg = d.thunk_register(thunk->name);
  if (reg < 0) return;
  fault.base_register = find(registers, d, reg).first;
  const auto origin = code.origin(reg, call);
  if (!origin || origin->plus) return;
  FaultMember m;
  m.expression = m.variable = origin->expression;
  // What should have been filled in.
  if (origin->from) m = member_of(*origin->from);
  fault.certain = origin->certain;
  fault.members = {std::move(m)};
}

}  // namespace

std::map<std::string, std::uint64_t> numeric_registers(const CrashReport& report) {
  Registers registers;
  for (const auto& [name, text] : report.registers)
    if (const auto value = guest::register_value(text)) registers[name] = *value;
  return registers;
}

void explain_fault(FaultInfo& fault, const FaultPlace& place, const Registers& registers,
                   const guest::FaultRules& rules) {
  const Disassembler d(place.info->file().machine());
  if (!d.known()) return;
  const FunctionCode code(*place.info, d, place.return_address ? place.pc - 1 : place.pc, place.code);
  fault.members.clear();
  fault.certain = false;
  const int at = place.return_address ? code.ending_at(place.pc) : code.at(place.pc);
  if (place.return_address) {
    if (at >= 0) explain_jump(fault, code, at, d, *place.info, registers);
  } else if (at >= 0) {
    const auto& insn = code[at];
    fault.instruction = insn.text;
    const auto* m = faulting(insn, fault, registers, d);
    if (m && m->base >= 0 && !m->relative) {
      set_operand(fault, *m, registers, d);
      auto origin = code.origin(m->base, at);
      // Of a sum either may be the pointer, or the shadow of what a sanitizer lets be accessed next.
      if (m->index >= 0 && m->scale == 1 && !leads_somewhere(origin))
        if (auto other = code.origin(m->index, at)) {
          MemoryOperand swapped = *m;
          std::swap(swapped.base, swapped.index);
          if (!other->shadow) set_operand(fault, swapped, registers, d);
          origin = std::move(other);
        }
      std::optional<Reached> reached;
      if (origin && origin->shadow)
        reached = reach(*origin, 0, 0);
      else if (origin)
        reached = reach(*origin, fault.displacement, m->size);
      if (origin && origin->shadow) {
        fault.base_value.reset();
        if (fault.address) fault.base_value = *fault.address - static_cast<std::uint64_t>(origin->plus);
      }
      if (reached && reached->offset >= 0) {
        fault.certain = origin->certain;
        fault.members = {member_of(*reached)};
      } else if (const auto offset = fault.address && *fault.address < null_page
                                         ? *fault.address
                                         : static_cast<std::uint64_t>(fault.displacement);
                 offset < null_page) {
        fault.members = candidates(code.variables(at), offset, m->size, place.source);
      }
    } else if (m && m->base < 0 && m->index < 0 && !m->relative && fault.address &&
               *fault.address < null_page) {
      // The compiler knew that the pointer is NULL.
      fault.members = candidates(code.variables(at), *fault.address, m->size, place.source);
    }
  }
  fault.poison.clear();
  holds_poison(fault, rules, fault.poison);
  fault.explanation = explanation_of(fault);
}

std::string explanation_of(const FaultInfo& fault) {
  std::string text = fault.access.empty()      ? "access to"
                     : fault.access == "read"  ? "read of"
                     : fault.access == "write" ? "write to"
                                               : "jump to";
  text += fault.address ? fmt::format(" address {:#x}", *fault.address)
                        : std::string(" an address that is not known");
  std::string names;
  for (const auto& m : fault.members) {
    if (!names.empty()) names += " or ";
    const auto what = m.expression.empty() ? m.variable : m.expression;
    names += what.empty() ? "a member" : "`" + what + "`";
    if (!m.member.empty())
      names += fmt::format(" (offset {:#x} of {})", m.offset, m.type);
    else if (!m.type.empty() && m.expression.empty())
      names += fmt::format(" plus {:#x} ({})", m.offset, m.type);
  }
  if (!names.empty())
    text += fmt::format("{} {}{}", fault.access == "execute" ? ", by way of" : ":",
                        fault.certain ? "" : "perhaps ", names);
  if (!fault.base_register.empty() && fault.access != "execute") {
    text += fmt::format(", base register {}", fault.base_register);
    if (fault.base_value) text += fmt::format(" = {:#x}", *fault.base_value);
    if (fault.members.size() == 1 && fault.certain)
      text += fmt::format(", which is `{}`", fault.members[0].variable);
  }
  const bool null = fault.base_value ? *fault.base_value == 0 : fault.address && *fault.address < 4096;
  if (!fault.poison.empty())
    text += ": " + fault.poison;
  else if (null)
    text += ": a NULL pointer";
  return text;
}

void read_facts(CrashReport& report, const guest::ConsoleRules& console) {
  const auto& rules = console.faults();
  report.poisons = guest::poisoned_registers(report, rules);
  if (auto printed = rules.printed(report)) {
    FaultInfo fault;
    fault.address = printed->address;
    fault.access = std::move(printed->access);
    for (const char* name : {"RIP", "EIP", "PC", "pc"})
      if (const auto it = report.registers.find(name); it != report.registers.end() && !fault.pc)
        fault.pc = guest::register_value(it->second).value_or(0);
    const auto registers = numeric_registers(report);
    const Disassembler d(machine_of(report));
    if (const auto insn = fault.access == "execute" ? std::nullopt : d.first(printed->code, fault.pc)) {
      fault.instruction = insn->text;
      if (const auto* m = faulting(*insn, fault, registers, d); m && m->base >= 0 && !m->relative) {
        const auto address = fault.address;
        set_operand(fault, *m, registers, d);
        // What a sanitizer looked at is the shadow of the address that it tells.
        if (rules.shadowed(fault.base_value.value_or(0) + static_cast<std::uint64_t>(fault.displacement)) &&
            address != fault.base_value.value_or(0) + static_cast<std::uint64_t>(fault.displacement))
          fault.base_value.reset();
      }
    }
    holds_poison(fault, rules, fault.poison);
    fault.explanation = explanation_of(fault);
    report.fault = std::move(fault);
  }
  auto object = rules.object(report);
  if (!object) return;
  const auto& titles = TitleTable::of(console);
  for (const auto& trace : report.traces)
    for (const bool freed : {false, true}) {
      const auto pid = rules.object_trace(trace.name, freed);
      auto& by = freed ? object->freed_by : object->allocated_by;
      if (!pid || !by.empty()) continue;
      StackTrace users = trace;
      std::erase_if(users.frames, [&](const StackFrame& f) { return rules.is_allocator(f.function); });
      by = titles.blamed(users);
      (freed ? object->freed_pid : object->allocated_pid) = *pid;
    }
  if (object->state.empty() && !object->freed_by.empty()) object->state = "freed";
  report.object = std::move(object);
}

}  // namespace kdev::crash
