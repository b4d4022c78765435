#pragma once
// What pointers point to, and what lies at an offset in a structure.
#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>

namespace kdev::crash {

/// What a pointer points to; false: it is no pointer, or one to void.
bool pointee(Dwarf_Die type, Dwarf_Die& to);
/// A struct, union or class whose members are known.
bool is_structure(Dwarf_Die type);

/// What lies at an offset in a structure.
struct MemberAt {
  std::string path{};        ///< "bar.baz[2]"
  std::uint64_t within = 0;  ///< bytes from the member's beginning to the offset
  Dwarf_Die type{};          ///< of the member, as written
};
/// The innermost member at `offset`; of a union's, the first that begins there and is of `size` bytes (0: of
/// any size). Nothing: padding, or past the end.
std::optional<MemberAt> member_at(Dwarf_Die structure, std::uint64_t offset, std::uint64_t size);

}  // namespace kdev::crash
