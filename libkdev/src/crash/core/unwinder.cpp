#include "crash/core/unwinder.hpp"

#include <algorithm>
#include <optional>

#include "crash/dwarf_location.hpp"

namespace kdev::crash {
namespace {

using guest::Registers;

constexpr int max_traps = 32;

struct FreeFrame {
  void operator()(Dwarf_Frame* f) const { std::free(f); }
};

struct CallFrame {
  std::unique_ptr<Dwarf_Frame, FreeFrame> rules;
  std::uint64_t cfa = 0;
};

/// What one of a file's tables says of an address.
std::optional<CallFrame> call_frame(const CallFrames& table, Dwarf_Addr pc, const Machine& machine,
                                    const DwarfFrame& here) {
  Dwarf_Frame* raw = nullptr;
  if (dwarf_cfi_addrframe(table.cfi, pc - table.bias, &raw) != 0) return std::nullopt;
  CallFrame frame{std::unique_ptr<Dwarf_Frame, FreeFrame>(raw), 0};
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (dwarf_frame_info(raw, nullptr, nullptr, nullptr) != machine.return_column ||
      dwarf_frame_cfa(raw, &ops, &count) != 0)
    return std::nullopt;
  DwarfLimits limits;
  const auto cfa = number_at(evaluate(ops, count, here, nullptr, limits));
  if (!cfa) return std::nullopt;
  frame.cfa = *cfa;
  return frame;
}

}  // namespace

std::optional<std::uint64_t> Unwinder::cfa(const Registers& r) const {
  const auto pc = r.pc_is_return ? r.pc - 1 : r.pc;
  const auto place = image_.at(pc);
  if (!place.info) return std::nullopt;
  for (const auto& table : place.info->call_frames())
    if (const auto frame = call_frame(table, pc - place.slide, machine_, {.memory = &view_, .registers = &r}))
      return frame->cfa;
  return std::nullopt;
}

bool Unwinder::by_call_frames(Registers& r) const {
  const auto pc = r.pc_is_return ? r.pc - 1 : r.pc;
  const auto place = image_.at(pc);
  if (!place.info) return false;
  for (const auto& table : place.info->call_frames()) {
    DwarfLimits limits;
    DwarfFrame here{.memory = &view_, .registers = &r};
    const auto frame = call_frame(table, pc - place.slide, machine_, here);
    if (!frame) continue;
    here.cfa = frame->cfa;
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    Registers caller;
    bool has_return = false;
    for (int reg = 0; reg < machine_.columns; ++reg) {
      Dwarf_Op simple[3];
      if (dwarf_frame_register(frame->rules.get(), reg, simple, &ops, &count) != 0) continue;
      std::optional<std::uint64_t> value;
      if (count == 0) {
        // Nothing is said of it, or that it is lost: libdw's answers to both are alike.
        const bool preserved =
            std::find(machine_.preserved.begin(), machine_.preserved.end(), reg) != machine_.preserved.end();
        if (ops == simple && !preserved) continue;
        if (const auto it = r.values.find(reg); it != r.values.end()) value = it->second;
      } else {
        const auto found = evaluate(ops, count, here, nullptr, limits);
        value = number_at(found);
        if (value && found[0].kind == DwarfPiece::Kind::memory) value = view_.number(*value);
      }
      if (!value) continue;
      if (reg == machine_.return_column) {
        caller.pc = machine_.code_address(*value);
        has_return = true;
      } else {
        caller.values[reg] = *value;
      }
    }
    if (!has_return) continue;
    caller.values[machine_.stack_pointer] = frame->cfa;
    caller.pc_is_return = true;
    r = std::move(caller);
    return true;
  }
  return false;
}

bool Unwinder::by_frame_pointer(Registers& r) const {
  const auto bp = r.values.find(machine_.frame_pointer);
  if (bp == r.values.end()) return false;
  const auto at = bp->second;
  const auto saved = view_.number(at), pc = view_.number(at + 8);
  if (!saved || !pc) return false;
  // Where the link register is saved, the caller's part of the stack begins there, or above.
  r.values = {{machine_.frame_pointer, *saved}, {machine_.stack_pointer, at + 16}};
  r.pc = machine_.code_address(*pc);
  r.pc_is_return = true;
  return true;
}

/// What it has done with the others nobody knows.
void Unwinder::keep_preserved(Registers& r) const {
  std::erase_if(r.values, [&](const auto& value) {
    return value.first != machine_.stack_pointer &&
           std::find(machine_.preserved.begin(), machine_.preserved.end(), value.first) ==
               machine_.preserved.end();
  });
}

bool Unwinder::by_return_address(Registers& r) const {
  if (machine_.link_register >= 0) return by_link_register(r);
  const auto sp = r.values.find(machine_.stack_pointer);
  const auto pc = sp == r.values.end() ? std::nullopt : view_.number(sp->second);
  if (!pc || !*pc || !image_.may_be_code(*pc - 1)) return false;
  r.pc = *pc;
  r.pc_is_return = true;
  r.values[machine_.stack_pointer] += 8;
  keep_preserved(r);
  return true;
}

bool Unwinder::by_link_register(Registers& r) const {
  const auto link = r.values.find(machine_.link_register);
  const auto pc = link == r.values.end() ? 0 : machine_.code_address(link->second);
  if (!pc || !image_.may_be_code(pc - 1)) return false;
  // Where it has called already, its caller is in its frame.
  const auto* here = image_.code_at(r.pc);
  if (here && here == image_.code_at(pc - 1)) return false;
  r.pc = pc;
  r.pc_is_return = true;
  keep_preserved(r);
  return true;
}

bool Unwinder::from_nowhere(Registers& r) const {
  if (machine_.link_register >= 0) return by_link_register(r);
  // The one who called left its address on the stack.
  const auto sp = r.values.find(machine_.stack_pointer);
  const auto before = sp == r.values.end() ? 0 : sp->second;
  const auto pc = view_.number(before);
  if (!pc || !before) return false;
  r.pc = *pc;
  r.pc_is_return = true;
  r.values[machine_.stack_pointer] = before + 8;
  return image_.may_be_code(r.pc - 1);
}

bool Unwinder::is_up(const Registers& from, const Registers& to) const {
  const auto sp_of = [this](const Registers& r) {
    const auto sp = r.values.find(machine_.stack_pointer);
    return sp == r.values.end() ? 0 : sp->second;
  };
  const auto before = sp_of(from), after = sp_of(to);
  const bool no_frame = machine_.link_register >= 0 && !from.pc_is_return && after == before;
  return (after > before || no_frame) && rules_.is_kernel_address(to.pc) && to.pc != 0;
}

bool Unwinder::by_call(Registers& r) const {
  constexpr std::uint64_t most_words = 64;
  const auto sp = r.values.find(machine_.stack_pointer);
  const auto at = r.pc_is_return ? r.pc - 1 : r.pc;
  const auto* symbol = sp == r.values.end() ? nullptr : image_.code_at(at);
  if (!symbol || machine_.call.empty()) return false;
  const auto begin = symbol->address + image_.at(at).slide;
  const auto length = machine_.call.size() + sizeof(std::int32_t);
  for (std::uint64_t slot = sp->second; slot < sp->second + most_words * 8; slot += 8) {
    const auto pc = view_.number(slot);
    if (!pc) return false;
    if (!rules_.is_kernel_address(*pc) || !image_.code_at(*pc - 1)) continue;
    std::string opcode(machine_.call.size(), '\0');
    const auto distance = view_.number(*pc - sizeof(std::int32_t), sizeof(std::int32_t));
    if (!distance || !view_.read(*pc - length, opcode.data(), opcode.size()) || opcode != machine_.call ||
        *pc + static_cast<std::uint64_t>(static_cast<std::int32_t>(*distance)) != begin)
      continue;
    // It may have made a frame.
    const auto frame = r.values.find(machine_.frame_pointer);
    if (frame != r.values.end() && frame->second == slot - 8)
      if (const auto saved = view_.number(slot - 8)) frame->second = *saved;
    r.pc = *pc;
    r.pc_is_return = true;
    r.values[machine_.stack_pointer] = slot + 8;
    return true;
  }
  return false;
}

bool Unwinder::step(Registers& r, int& traps) const {
  if (!r.pc_is_return && !image_.may_be_code(r.pc)) return from_nowhere(r);
  Registers next = r;
  // Assembly code in front of the stack's bottom has call frame information that says nothing: up or not at
  // all.
  const auto up = [&](const Registers& n) { return is_up(r, n); };
  if (by_call_frames(next) && up(next)) {
    r = std::move(next);
    return true;
  }
  if (auto unwound = rules_.unwind(view_, r)) {
    if (unwound->end || (unwound->trap && ++traps > max_traps)) return false;
    if (unwound->trap || up(unwound->registers)) {
      r = std::move(unwound->registers);
      return true;
    }
  }
  // Assembly code that was interrupted has rarely made a frame: its caller's address is where calls leave it.
  next = r;
  if (!r.pc_is_return && by_return_address(next) && up(next)) {
    r = std::move(next);
    return true;
  }
  // Some code in C has no tables: a call of just this function leads to it. A frame pointer leads past it.
  next = r;
  if (by_call(next) && up(next)) {
    r = std::move(next);
    return true;
  }
  next = r;
  if (by_frame_pointer(next) && up(next)) {
    r = std::move(next);
    return true;
  }
  return false;
}

std::vector<Activation> Unwinder::walk(Registers r, std::size_t limit) const {
  std::vector<Activation> frames;
  int traps = 0;
  while (frames.size() < std::min(limit, max_frames)) {
    auto sp = r.values.find(machine_.stack_pointer);
    if (sp != r.values.end() && r.pc_is_return)
      if (const auto before = rules_.switched_stack(view_, sp->second)) {
        if (++traps > max_traps) break;
        sp->second = *before;
      }
    frames.push_back({r.pc, r.pc_is_return, sp == r.values.end() ? 0 : sp->second, r});
    const auto* symbol = image_.code_at(r.pc_is_return ? r.pc - 1 : r.pc);
    if (symbol && r.pc_is_return && rules_.is_trap_entry(symbol->name)) {
      auto trapped = rules_.trap_registers(view_, r, frames.back().sp);
      if (!trapped || ++traps > max_traps) break;
      r = std::move(*trapped);
    } else if (!step(r, traps)) {
      break;
    }
  }
  return frames;
}

}  // namespace kdev::crash
