#pragma once
// Variables and the registers that hold them, from the location lists of DWARF.
#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::crash {

/// A variable, parameter included, in the scopes around an instruction.
struct ScopedVariable {
  std::string name{};
  Dwarf_Die die{};
  bool parameter = false;
};
/// Innermost scope first. `scopes`: DwarfScopes::entries.
std::vector<ScopedVariable> variables_in(const std::vector<Dwarf_Die>& scopes);

/// Where a variable's value is, when it is in a register or the sum of one and a number.
struct InRegister {
  int number = -1;        ///< DWARF's
  std::int64_t plus = 0;  ///< bytes: the value is the register's plus these
};
std::optional<InRegister> register_of(const ScopedVariable& variable, Dwarf_Addr pc);

/// Where a static variable lies, as linked.
std::optional<std::uint64_t> static_address(const ScopedVariable& variable);

}  // namespace kdev::crash
