#pragma once
// Types as DWARF describes them.
#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>

namespace kdev::crash {

/// Makes of a type what is behind its qualifiers and typedefs; false: void, or no end to them.
bool peel(Dwarf_Die& type);
/// The type of a variable, a member, or an element; false: void.
bool type_of(Dwarf_Die& entry, Dwarf_Die& type);
/// Bytes; nothing: it has no size, as what is only declared.
std::optional<std::uint64_t> size_of_type(Dwarf_Die& type);
/// As C writes the type of a variable or a member, its typedefs kept: "struct file *", "char [16]", "int
/// (*)(u32)".
std::string type_name(Dwarf_Die& entry);

/// A number's encoding (DW_ATE_*), of a peeled base type; 0: it is none.
unsigned encoding_of(Dwarf_Die& type);

/// Where a member lies in its structure.
struct MemberPlace {
  std::uint64_t offset = 0;  ///< bytes
  unsigned bit = 0;          ///< of a bit field, from the lowest bit of that byte
  unsigned bits = 0;         ///< its width; 0: it is none
};
/// Nothing: it is not said as a number.
std::optional<MemberPlace> place_of(Dwarf_Die& member);

}  // namespace kdev::crash
