// The machine of DWARF's expressions.
#include <dwarf.h>

#include <algorithm>
#include <cstring>

#include "crash/dwarf_location.hpp"
#include "crash/dwarf_number.hpp"

namespace kdev::crash {
namespace {

using Kind = DwarfPiece::Kind;

constexpr std::size_t max_stack = 256, max_pieces = 256, max_piece = 1u << 16, max_operations = 4096;

std::string bytes_of(std::uint64_t n) {
  std::string s(8, '\0');
  std::memcpy(s.data(), &n, 8);
  return s;
}

using Number = DwarfNumber;

class Evaluation {
 public:
  Evaluation(const Dwarf_Op* ops, std::size_t count, const DwarfFrame& frame, Dwarf_Attribute* attribute,
             DwarfLimits& limits)
      : ops_(ops), count_(count), frame_(frame), attribute_(attribute), limits_(limits) {}

  DwarfLocation run() {
    if (count_ > max_operations) return {{.kind = Kind::unavailable}};
    for (std::size_t i = 0; i < count_; ++i) {
      if (--limits_.operations < 0) return {{.kind = Kind::unavailable}};
      const Dwarf_Op& op = ops_[i];
      if (op.atom == DW_OP_piece || op.atom == DW_OP_bit_piece) {
        const auto bits = op.atom == DW_OP_piece ? op.number * 8 : op.number;
        // Pieces of bits that fill no bytes are what compilers do not make.
        if (bits % 8 || (op.atom == DW_OP_bit_piece && op.number2 % 8) || bits / 8 > max_piece || bits == 0)
          return {{.kind = Kind::unavailable}};
        if (pieces_.size() >= max_pieces) break;
        pieces_.push_back(finish(op.atom == DW_OP_bit_piece ? op.number2 / 8 : 0));
        pieces_.back().size = bits / 8;
        begin();
        continue;
      }
      if (failed_) continue;  // up to the next piece
      if (op.atom == DW_OP_skip || op.atom == DW_OP_bra) {
        if (op.atom == DW_OP_bra) {
          const auto condition = pop();
          if (!condition || condition->bits == 0) continue;
        }
        const auto to = static_cast<std::int64_t>(op.offset) + 3 + static_cast<std::int16_t>(op.number);
        const auto* target = std::find_if(ops_, ops_ + count_, [&](const Dwarf_Op& o) {
          return static_cast<std::int64_t>(o.offset) == to;
        });
        i = static_cast<std::size_t>(target - ops_) - 1;  // its end, where there is none
        continue;
      }
      step(op);
    }
    if (pieces_.empty()) return {finish(0)};
    return std::move(pieces_);
  }

 private:
  void begin() {
    stack_.clear();
    now_ = {};
    described_ = failed_ = false;
  }
  void fail(Kind kind) {
    failed_ = true;
    now_ = {.kind = kind};
  }
  void push(Number n) {
    if (stack_.size() >= max_stack) return fail(Kind::unavailable);
    stack_.push_back(n);
  }
  std::optional<Number> pop() {
    if (stack_.empty()) {
      fail(Kind::unavailable);
      return std::nullopt;
    }
    const auto n = stack_.back();
    stack_.pop_back();
    return n;
  }
  std::optional<std::uint64_t> held_by(std::uint64_t reg) const {
    if (reg > 1000 || !frame_.registers) return std::nullopt;
    const auto it = frame_.registers->values.find(static_cast<int>(reg));
    return it == frame_.registers->values.end() ? std::nullopt : std::optional(it->second);
  }
  /// The location since the last piece; `skip`: bytes of it that are not meant.
  DwarfPiece finish(std::uint64_t skip) {
    if (!failed_ && !described_ && !stack_.empty())
      now_ = {.kind = Kind::memory, .address = stack_.back().bits};
    if (now_.kind == Kind::memory) now_.address += skip;
    if (now_.kind == Kind::value) now_.bytes.erase(0, skip);
    return now_;
  }
  void describe(DwarfPiece piece) {
    now_ = std::move(piece);
    described_ = true;
  }
  void describe_register(std::uint64_t reg) {
    const auto value = held_by(reg);
    if (!value) return fail(Kind::optimized_out);
    describe({.kind = Kind::value, .bytes = bytes_of(*value), .reg = static_cast<int>(reg)});
  }
  void push_register(std::uint64_t reg, std::uint64_t offset) {
    const auto value = held_by(reg);
    if (!value) return fail(Kind::optimized_out);
    push({*value + offset});
  }
  void push_memory(std::uint64_t address, std::uint64_t size, Number type) {
    if (size < 1 || size > 8) return fail(Kind::unavailable);
    const auto value = frame_.memory ? frame_.memory->number(address, size) : std::nullopt;
    if (!value) return fail(Kind::unavailable);
    type.bits = *value;
    push(type.fitted());
  }
  void push_frame_base(std::uint64_t offset);
  void push_entry_value(const Dwarf_Op& op);
  void typed(const Dwarf_Op& op);
  void step(const Dwarf_Op& op);
  bool shuffle(const Dwarf_Op& op);

  const Dwarf_Op* ops_;
  std::size_t count_;
  const DwarfFrame& frame_;
  Dwarf_Attribute* attribute_;
  DwarfLimits& limits_;
  std::vector<Number> stack_;
  DwarfPiece now_;          // of the piece that is being made
  bool described_ = false;  // it is in now_, not on the stack
  bool failed_ = false;
  DwarfLocation pieces_;
};

void Evaluation::push_frame_base(std::uint64_t offset) {
  Dwarf_Attribute base;
  if (!frame_.function || limits_.depth <= 0) return fail(Kind::unavailable);
  Dwarf_Die function = *frame_.function;
  if (!dwarf_attr_integrate(&function, DW_AT_frame_base, &base)) return fail(Kind::unavailable);
  DwarfFrame without = frame_;  // a frame base that refers to itself
  without.function.reset();
  --limits_.depth;
  const auto location = locate(base, without, limits_);
  ++limits_.depth;
  const auto at = number_at(location);
  if (!at) return fail(location[0].kind == Kind::optimized_out ? Kind::optimized_out : Kind::unavailable);
  push({*at + offset});
}

void Evaluation::push_entry_value(const Dwarf_Op& op) {
  Dwarf_Attribute inner;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (!attribute_ || dwarf_getlocation_attr(attribute_, &op, &inner) != 0 ||
      dwarf_getlocation(&inner, &ops, &count) != 0)
    return fail(Kind::unavailable);
  const auto reg = named_register(ops, count);
  if (!reg) return fail(Kind::unavailable);
  if (!frame_.at_entry || limits_.depth <= 0) return fail(Kind::optimized_out);
  --limits_.depth;
  const auto value = frame_.at_entry(*reg, limits_);
  ++limits_.depth;
  if (!value) return fail(Kind::optimized_out);
  push({*value});
}

/// Operations that name a base type.
void Evaluation::typed(const Dwarf_Op& op) {
  const bool conversion = op.atom == DW_OP_convert || op.atom == DW_OP_GNU_convert ||
                          op.atom == DW_OP_reinterpret || op.atom == DW_OP_GNU_reinterpret;
  auto type = conversion && op.number == 0 ? std::optional(Number{}) : number_type(attribute_, op);
  if (!type) return fail(Kind::unavailable);
  if (conversion) {
    const auto from = pop();
    if (!from) return;
    type->bits = from->bits;
    push(type->fitted());
  } else if (op.atom == DW_OP_regval_type || op.atom == DW_OP_GNU_regval_type) {
    const auto value = held_by(op.number);
    if (!value) return fail(Kind::optimized_out);
    type->bits = *value;
    push(type->fitted());
  } else if (op.atom == DW_OP_deref_type || op.atom == DW_OP_GNU_deref_type) {
    if (const auto at = pop()) push_memory(at->bits, op.number, *type);
  } else {
    Dwarf_Attribute constant;
    Dwarf_Block block;
    if (dwarf_getlocation_attr(attribute_, &op, &constant) != 0 || dwarf_formblock(&constant, &block) != 0 ||
        block.length > 8)
      return fail(Kind::unavailable);
    std::memcpy(&type->bits, block.data, block.length);
    push(type->fitted());
  }
}

/// Those that move what is on the stack.
bool Evaluation::shuffle(const Dwarf_Op& op) {
  const auto depth = [&](std::size_t n) {
    if (stack_.size() <= n) return fail(Kind::unavailable), false;
    return true;
  };
  switch (op.atom) {
    case DW_OP_dup:
      if (depth(0)) push(stack_.back());
      return true;
    case DW_OP_drop:
      pop();
      return true;
    case DW_OP_over:
      if (depth(1)) push(stack_[stack_.size() - 2]);
      return true;
    case DW_OP_pick:
      if (depth(op.number)) push(stack_[stack_.size() - 1 - op.number]);
      return true;
    case DW_OP_swap:
      if (depth(1)) std::swap(stack_.back(), stack_[stack_.size() - 2]);
      return true;
    case DW_OP_rot:
      if (depth(2)) std::rotate(stack_.end() - 3, stack_.end() - 1, stack_.end());
      return true;
    default:
      return false;
  }
}

void Evaluation::step(const Dwarf_Op& op) {
  if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31)
    return push({static_cast<std::uint64_t>(op.atom - DW_OP_lit0)});
  if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31) return describe_register(op.atom - DW_OP_reg0);
  if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31)
    return push_register(op.atom - DW_OP_breg0, op.number);
  if (shuffle(op)) return;
  std::optional<Number> a, b;
  switch (op.atom) {
    case DW_OP_regx:
      return describe_register(op.number);
    case DW_OP_bregx:
      return push_register(op.number, op.number2);
    case DW_OP_fbreg:
      return push_frame_base(op.number);
    case DW_OP_call_frame_cfa:
      return frame_.cfa ? push({*frame_.cfa}) : fail(Kind::unavailable);
    case DW_OP_addr:
      return push({op.number + frame_.slide});
    case DW_OP_addrx:
    case DW_OP_GNU_addr_index:
    case DW_OP_constx:
    case DW_OP_GNU_const_index: {
      Dwarf_Attribute indexed;
      Dwarf_Addr value = 0;
      if (!attribute_ || dwarf_getlocation_attr(attribute_, &op, &indexed) != 0 ||
          dwarf_formaddr(&indexed, &value) != 0)
        return fail(Kind::unavailable);
      const bool address = op.atom == DW_OP_addrx || op.atom == DW_OP_GNU_addr_index;
      return push({value + (address ? frame_.slide : 0)});
    }
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
      return push({op.number});
    case DW_OP_deref:
      if ((a = pop())) push_memory(a->bits, 8, {});
      return;
    case DW_OP_deref_size:
      if ((a = pop())) push_memory(a->bits, op.number, {});
      return;
    case DW_OP_plus_uconst:
      if (!(a = pop())) return;
      a->bits += op.number;
      return push(a->fitted());
    case DW_OP_neg:
      if (!(a = pop())) return;
      a->bits = 0 - a->bits;
      return push(a->fitted());
    case DW_OP_not:
      if (!(a = pop())) return;
      a->bits = ~a->bits;
      return push(a->fitted());
    case DW_OP_abs:
      if (!(a = pop())) return;
      if (a->type != Number::is_unsigned && a->as_signed() < 0) a->bits = 0 - a->bits;
      return push(a->fitted());
    case DW_OP_entry_value:
    case DW_OP_GNU_entry_value:
      return push_entry_value(op);
    case DW_OP_convert:
    case DW_OP_GNU_convert:
    case DW_OP_reinterpret:
    case DW_OP_GNU_reinterpret:
    case DW_OP_regval_type:
    case DW_OP_GNU_regval_type:
    case DW_OP_deref_type:
    case DW_OP_GNU_deref_type:
    case DW_OP_const_type:
    case DW_OP_GNU_const_type:
      return typed(op);
    case DW_OP_stack_value:
      if ((a = pop())) describe({.kind = Kind::value, .bytes = bytes_of(a->bits)});
      return;
    case DW_OP_implicit_value: {
      Dwarf_Block block;
      if (!attribute_ || dwarf_getlocation_implicit_value(attribute_, &op, &block) != 0 ||
          block.length > max_piece)
        return fail(Kind::unavailable);
      return describe(
          {.kind = Kind::value, .bytes = std::string(reinterpret_cast<char*>(block.data), block.length)});
    }
    case DW_OP_implicit_pointer:
    case DW_OP_GNU_implicit_pointer:
      return describe({.kind = Kind::synthetic_pointer});
    case DW_OP_nop:
    case DW_OP_GNU_uninit:
      return;
    case DW_OP_plus:
    case DW_OP_minus:
    case DW_OP_mul:
    case DW_OP_div:
    case DW_OP_mod:
    case DW_OP_and:
    case DW_OP_or:
    case DW_OP_xor:
    case DW_OP_shl:
    case DW_OP_shr:
    case DW_OP_shra:
    case DW_OP_eq:
    case DW_OP_ne:
    case DW_OP_lt:
    case DW_OP_le:
    case DW_OP_gt:
    case DW_OP_ge: {
      b = pop();
      a = pop();
      if (!a || !b) return;
      const auto result = arithmetic(op.atom, *a, *b);
      return result ? push(*result) : fail(Kind::unavailable);
    }
    default:
      return fail(Kind::unavailable);
  }
}

}  // namespace

DwarfLocation evaluate(const Dwarf_Op* ops, std::size_t count, const DwarfFrame& frame,
                       Dwarf_Attribute* attribute, DwarfLimits& limits) {
  return Evaluation(ops, count, frame, attribute, limits).run();
}

}  // namespace kdev::crash
