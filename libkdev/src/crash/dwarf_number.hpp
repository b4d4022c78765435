#pragma once
#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>

namespace kdev::crash {

/// An integer on the stack; of the generic type, which has an address's size and no sign, or of a base type.
struct DwarfNumber {
  std::uint64_t bits = 0;
  enum Type { generic, is_signed, is_unsigned } type = generic;
  unsigned size = 8;

  std::int64_t as_signed() const { return static_cast<std::int64_t>(bits); }
  /// With what its type has no bits for cut off.
  DwarfNumber fitted() const;
};

/// The type of an operation that names one, as a zero of it; nothing: no integer, or `attribute` is null.
std::optional<DwarfNumber> number_type(Dwarf_Attribute* attribute, const Dwarf_Op& op);

/// `a` and `b` by an operation of two (DW_OP_plus, DW_OP_shl, DW_OP_eq, ...). Nothing: another one, or a
/// division by zero.
std::optional<DwarfNumber> arithmetic(unsigned atom, DwarfNumber a, DwarfNumber b);

}  // namespace kdev::crash
