#pragma once
// What a register holds in a function's code: the variable that DWARF says, or where the instructions before
// loaded it from.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "crash/debug_info.hpp"
#include "crash/instruction.hpp"
#include "crash/register_variables.hpp"

namespace kdev::crash {

/// A member that a pointer reaches.
struct Reached {
  std::string pointer{};  ///< as C writes it: "foo"
  std::string expression{}, member{};
  std::string structure{};  ///< the type's name
  Dwarf_Die type{};
  std::int64_t offset = 0;  ///< into it
  bool known = false;       ///< a member lies there
};

/// A register's value: the expression's plus some bytes.
struct Origin {
  std::string expression{};  ///< as C writes it: "foo->bar"
  Dwarf_Die type{};          ///< the expression's, as written
  bool typed = false;        ///< `type` is known
  std::int64_t plus = 0;
  bool certain = true;            ///< no other way through the code makes it another value
  std::optional<Reached> from{};  ///< it was loaded from there
  bool shadow = false;            ///< the register holds the number of the value's 8 bytes
};
/// What lies `displacement` bytes behind what a register of this origin points to; `size`: bytes accessed, 0:
/// any. Nothing: it is no pointer to something with a type.
std::optional<Reached> reach(const Origin& origin, std::int64_t displacement, unsigned size);

/// A function's code with its variables. Not thread-safe.
class FunctionCode {
 public:
  /// The function around `pc`, an address of `info`. `code`: reads code by such addresses, as much of it as
  /// there is.
  FunctionCode(const DebugInfo& info, const Disassembler& disassembler, std::uint64_t pc,
               const std::function<std::string(std::uint64_t, std::size_t)>& code);
  /// The instruction at an address, or the one that ends there; -1: none.
  int at(std::uint64_t address) const;
  int ending_at(std::uint64_t address) const;
  const Instruction& operator[](int i) const { return code_[static_cast<std::size_t>(i)]; }
  /// What a register holds before instruction `i`; nothing: it cannot be said.
  std::optional<Origin> origin(int reg, int i) const { return origin(reg, i, 0); }
  /// The variables around instruction `i`, innermost scope first.
  std::vector<ScopedVariable> variables(int i) const;

 private:
  std::optional<Origin> origin(int reg, int i, int depth) const;
  std::optional<Origin> variable(int reg, int i) const;
  std::optional<Origin> defined_by(int reg, int i, int depth) const;
  std::optional<Origin> loaded(const Instruction& insn, int i, int depth) const;
  std::optional<Origin> global(std::uint64_t address, int i) const;
  bool joined(int i) const;

  const DebugInfo& info_;
  const Disassembler& disassembler_;
  std::vector<Instruction> code_;
  std::vector<std::uint64_t> joins_;  // targets of its jumps, sorted
};

}  // namespace kdev::crash
