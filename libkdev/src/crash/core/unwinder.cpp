#include "crash/core/unwinder.hpp"

#include <dwarf.h>

#include <optional>

namespace kdev::crash {
namespace {

using guest::Registers;

constexpr std::size_t max_frames = 1024;
constexpr int max_traps = 32;

/// What a DWARF expression of a call frame says: a value, or the place where one is.
struct Result {
  std::uint64_t number = 0;
  bool is_value = false;
};

/// The operations that compilers use in call frames. Nothing: another one, or memory that is not there.
std::optional<Result> evaluate(const Dwarf_Op* ops, std::size_t count, const Registers& r,
                               std::optional<std::uint64_t> cfa, const guest::KernelView& view) {
  std::vector<std::uint64_t> stack;
  const auto pop = [&]() -> std::optional<std::uint64_t> {
    if (stack.empty()) return std::nullopt;
    const auto v = stack.back();
    stack.pop_back();
    return v;
  };
  Result result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto atom = ops[i].atom;
    const auto number = ops[i].number;
    if ((atom >= DW_OP_breg0 && atom <= DW_OP_breg31) || atom == DW_OP_bregx) {
      const auto it = r.values.find(atom == DW_OP_bregx ? static_cast<int>(number) : atom - DW_OP_breg0);
      if (it == r.values.end()) return std::nullopt;
      stack.push_back(it->second + (atom == DW_OP_bregx ? ops[i].number2 : number));
    } else if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) {
      const auto it = r.values.find(atom - DW_OP_reg0);
      if (it == r.values.end() || count != 1) return std::nullopt;
      return Result{it->second, true};
    } else if (atom == DW_OP_regx) {
      const auto it = r.values.find(static_cast<int>(number));
      if (it == r.values.end() || count != 1) return std::nullopt;
      return Result{it->second, true};
    } else if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) {
      stack.push_back(atom - DW_OP_lit0);
    } else {
      std::optional<std::uint64_t> a, b;
      switch (atom) {
        case DW_OP_call_frame_cfa:
          if (!cfa) return std::nullopt;
          stack.push_back(*cfa);
          break;
        case DW_OP_const1u:
        case DW_OP_const1s:
        case DW_OP_const2u:
        case DW_OP_const2s:
        case DW_OP_const4u:
        case DW_OP_const4s:
        case DW_OP_const8u:
        case DW_OP_const8s:
        case DW_OP_constu:
        case DW_OP_consts:
          stack.push_back(number);
          break;
        case DW_OP_plus_uconst:
          if (!(a = pop())) return std::nullopt;
          stack.push_back(*a + number);
          break;
        case DW_OP_plus:
        case DW_OP_minus:
        case DW_OP_and:
        case DW_OP_mul:
        case DW_OP_shl:
        case DW_OP_ge:
          b = pop();
          a = pop();
          if (!a || !b) return std::nullopt;
          stack.push_back(atom == DW_OP_plus    ? *a + *b
                          : atom == DW_OP_minus ? *a - *b
                          : atom == DW_OP_and   ? (*a & *b)
                          : atom == DW_OP_mul   ? *a * *b
                          : atom == DW_OP_shl
                              ? (*b < 64 ? *a << *b : 0)
                              : static_cast<std::int64_t>(*a) >= static_cast<std::int64_t>(*b));
          break;
        case DW_OP_deref:
          if (!(a = pop()) || !(a = view.number(*a))) return std::nullopt;
          stack.push_back(*a);
          break;
        case DW_OP_stack_value:
          result.is_value = true;
          break;
        case DW_OP_nop:
          break;
        default:
          return std::nullopt;
      }
    }
  }
  const auto top = pop();
  if (!top) return std::nullopt;
  result.number = *top;
  return result;
}

struct FreeFrame {
  void operator()(Dwarf_Frame* f) const { std::free(f); }
};

}  // namespace

bool Unwinder::by_call_frames(Registers& r) const {
  const auto pc = r.pc_is_return ? r.pc - 1 : r.pc;
  const auto place = image_.at(pc);
  if (!place.info) return false;
  for (const auto& frames : place.info->call_frames()) {
    Dwarf_Frame* raw = nullptr;
    if (dwarf_cfi_addrframe(frames.cfi, pc - place.slide - frames.bias, &raw) != 0) continue;
    const std::unique_ptr<Dwarf_Frame, FreeFrame> frame(raw);
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    if (dwarf_frame_info(frame.get(), nullptr, nullptr, nullptr) != machine_.return_column) continue;
    if (dwarf_frame_cfa(frame.get(), &ops, &count) != 0) continue;
    const auto cfa = evaluate(ops, count, r, std::nullopt, view_);
    if (!cfa) continue;
    Registers caller;
    bool has_return = false;
    for (int reg = 0; reg < machine_.columns; ++reg) {
      Dwarf_Op simple[3];
      if (dwarf_frame_register(frame.get(), reg, simple, &ops, &count) != 0) continue;
      std::optional<std::uint64_t> value;
      if (count == 0) {
        if (ops == simple) continue;  // lost
        if (const auto it = r.values.find(reg); it != r.values.end()) value = it->second;
      } else if (const auto found = evaluate(ops, count, r, cfa->number, view_)) {
        value = found->is_value ? std::optional(found->number) : view_.number(found->number);
      }
      if (!value) continue;
      if (reg == machine_.return_column) {
        caller.pc = *value;
        has_return = true;
      } else {
        caller.values[reg] = *value;
      }
    }
    if (!has_return) continue;
    // What a call preserves, where nothing is said of it.
    for (const int reg : machine_.preserved)
      if (const auto it = r.values.find(reg); it != r.values.end()) caller.values.emplace(reg, it->second);
    caller.values[machine_.stack_pointer] = cfa->number;
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
  r.values = {{machine_.frame_pointer, *saved}, {machine_.stack_pointer, at + 16}};
  r.pc = *pc;
  r.pc_is_return = true;
  return true;
}

bool Unwinder::by_return_address(Registers& r) const {
  const auto sp = r.values.find(machine_.stack_pointer);
  const auto pc = sp == r.values.end() ? std::nullopt : view_.number(sp->second);
  if (!pc || !*pc || !image_.code_at(*pc - 1)) return false;
  r.pc = *pc;
  r.pc_is_return = true;
  r.values[machine_.stack_pointer] += 8;
  return true;
}

bool Unwinder::step(Registers& r, int& traps) const {
  const auto sp = r.values.find(machine_.stack_pointer);
  const auto before = sp == r.values.end() ? 0 : sp->second;
  if (!r.pc_is_return && !image_.code_at(r.pc)) {
    // A call of what is no code: the one who called left its address on the stack.
    const auto pc = view_.number(before);
    if (!pc || !before) return false;
    r.pc = *pc;
    r.pc_is_return = true;
    r.values[machine_.stack_pointer] = before + 8;
    return image_.code_at(r.pc - 1) != nullptr;
  }
  Registers next = r;
  // Assembly code in front of the stack's bottom has call frame information that says nothing: up or not at
  // all.
  const auto up = [&](const Registers& n) {
    return n.values.at(machine_.stack_pointer) > before && rules_.is_kernel_address(n.pc) && n.pc != 0;
  };
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
  // Assembly code that was interrupted has rarely made a frame: its caller's address is on top.
  next = r;
  if (!r.pc_is_return && by_return_address(next) && up(next)) {
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

std::vector<Activation> Unwinder::walk(Registers r) const {
  std::vector<Activation> frames;
  int traps = 0;
  while (frames.size() < max_frames) {
    auto sp = r.values.find(machine_.stack_pointer);
    if (sp != r.values.end() && r.pc_is_return)
      if (const auto before = rules_.switched_stack(view_, sp->second)) {
        if (++traps > max_traps) break;
        sp->second = *before;
      }
    frames.push_back({r.pc, r.pc_is_return, sp == r.values.end() ? 0 : sp->second});
    const auto* symbol = image_.code_at(r.pc_is_return ? r.pc - 1 : r.pc);
    if (symbol && r.pc_is_return && rules_.is_trap_entry(symbol->name)) {
      auto trapped = rules_.trap_registers(view_, frames.back().sp);
      if (!trapped || ++traps > max_traps) break;
      r = std::move(*trapped);
    } else if (!step(r, traps)) {
      break;
    }
  }
  return frames;
}

}  // namespace kdev::crash
