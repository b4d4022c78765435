#include "crash/dwarf_number.hpp"

#include <dwarf.h>

#include <algorithm>

namespace kdev::crash {

DwarfNumber DwarfNumber::fitted() const {
  DwarfNumber n = *this;
  if (size >= 8) return n;
  const std::uint64_t mask = (1ull << size * 8) - 1;
  n.bits &= mask;
  if (type == is_signed && n.bits >> (size * 8 - 1)) n.bits |= ~mask;
  return n;
}

/// The type of a typed operation; nothing: no integer.
std::optional<DwarfNumber> number_type(Dwarf_Attribute* attribute, const Dwarf_Op& op) {
  Dwarf_Die die;
  Dwarf_Attribute a;
  Dwarf_Word size = 0, encoding = 0;
  if (!attribute || dwarf_getlocation_die(attribute, &op, &die) != 0 ||
      dwarf_formudata(dwarf_attr_integrate(&die, DW_AT_byte_size, &a), &size) != 0 || size < 1 || size > 8)
    return std::nullopt;
  if (dwarf_formudata(dwarf_attr_integrate(&die, DW_AT_encoding, &a), &encoding) != 0) return std::nullopt;
  switch (encoding) {
    case DW_ATE_signed:
    case DW_ATE_signed_char:
      return DwarfNumber{0, DwarfNumber::is_signed, static_cast<unsigned>(size)};
    case DW_ATE_unsigned:
    case DW_ATE_unsigned_char:
    case DW_ATE_boolean:
    case DW_ATE_address:
    case DW_ATE_UTF:
      return DwarfNumber{0, DwarfNumber::is_unsigned, static_cast<unsigned>(size)};
    default:
      return std::nullopt;
  }
}

std::optional<DwarfNumber> arithmetic(unsigned atom, DwarfNumber a, DwarfNumber b) {
  const bool sign = a.type != DwarfNumber::is_unsigned;
  const auto truth = [](bool t) { return DwarfNumber{t ? 1u : 0u}; };
  DwarfNumber r = a;
  switch (atom) {
    case DW_OP_plus:
      r.bits = a.bits + b.bits;
      break;
    case DW_OP_minus:
      r.bits = a.bits - b.bits;
      break;
    case DW_OP_mul:
      r.bits = a.bits * b.bits;
      break;
    case DW_OP_and:
      r.bits = a.bits & b.bits;
      break;
    case DW_OP_or:
      r.bits = a.bits | b.bits;
      break;
    case DW_OP_xor:
      r.bits = a.bits ^ b.bits;
      break;
    case DW_OP_div:
      if (b.bits == 0) return std::nullopt;
      if (!sign)
        r.bits = a.bits / b.bits;
      else  // The most negative number has no counterpart.
        r.bits = b.as_signed() == -1 ? 0 - a.bits : static_cast<std::uint64_t>(a.as_signed() / b.as_signed());
      break;
    case DW_OP_mod:
      if (b.bits == 0) return std::nullopt;
      if (a.type != DwarfNumber::is_signed)
        r.bits = a.bits % b.bits;
      else
        r.bits = b.as_signed() == -1 ? 0 : static_cast<std::uint64_t>(a.as_signed() % b.as_signed());
      break;
    case DW_OP_shl:
      r.bits = b.bits < 64 ? a.bits << b.bits : 0;
      break;
    case DW_OP_shr:
      if (a.size < 8) a.bits &= (1ull << a.size * 8) - 1;
      r.bits = b.bits < 64 ? a.bits >> b.bits : 0;
      break;
    case DW_OP_shra:
      r.bits = static_cast<std::uint64_t>(a.as_signed() >> std::min<std::uint64_t>(b.bits, 63));
      break;
    case DW_OP_eq:
      return truth(a.bits == b.bits);
    case DW_OP_ne:
      return truth(a.bits != b.bits);
    case DW_OP_lt:
      return truth(sign ? a.as_signed() < b.as_signed() : a.bits < b.bits);
    case DW_OP_le:
      return truth(sign ? a.as_signed() <= b.as_signed() : a.bits <= b.bits);
    case DW_OP_gt:
      return truth(sign ? a.as_signed() > b.as_signed() : a.bits > b.bits);
    case DW_OP_ge:
      return truth(sign ? a.as_signed() >= b.as_signed() : a.bits >= b.bits);
    default:
      return std::nullopt;
  }
  return r.fitted();
}

}  // namespace kdev::crash
