#pragma once
// DWARF expressions (DWARF 5, sections 2.5 and 2.6, and GNU's operations before it), evaluated in a
// function's activation: where a variable is, or what is known of it.
#include <elfutils/libdw.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// What an evaluation may cost, with all that it leads to: debug information is as hostile as a dump.
struct DwarfLimits {
  int operations = 10000;
  int depth = 16;  ///< of expressions that evaluate others
};

/// A function's activation, as expressions see it.
struct DwarfFrame {
  const guest::KernelView* memory = nullptr;
  const guest::Registers* registers = nullptr;  ///< those that are not known are not in it
  std::optional<std::uint64_t> cfa{};
  Dwarf_Addr pc = 0;                    ///< as libdw counts; before a return address, a byte of the call
  std::uint64_t slide = 0;              ///< from libdw's addresses to those in memory
  std::optional<Dwarf_Die> function{};  ///< whose frame base counts
  /// What a register held when the function was entered. Null, or nothing: not known.
  std::function<std::optional<std::uint64_t>(int reg, DwarfLimits&)> at_entry{};
};

/// Where one part of a variable is.
struct DwarfPiece {
  enum class Kind {
    optimized_out,
    unavailable,        ///< memory that is not in the dump, or an operation that is not known
    synthetic_pointer,  ///< a pointer that the program does not have, to what it has
    memory,
    value,
  };
  Kind kind = Kind::optimized_out;
  std::uint64_t address = 0;  ///< memory
  std::string bytes{};        ///< value; lowest first
  int reg = -1;               ///< value: the register that holds it; -1: none
  std::uint64_t size = 0;     ///< bytes; 0: all of the variable
};

/// From the variable's first byte on; never empty.
using DwarfLocation = std::vector<DwarfPiece>;

/// `attribute`: whose expression it is; null: of call frame information.
DwarfLocation evaluate(const Dwarf_Op* ops, std::size_t count, const DwarfFrame& frame,
                       Dwarf_Attribute* attribute, DwarfLimits& limits);

/// By an expression or a location list (DW_AT_location, DW_AT_frame_base, DW_AT_call_value, ...) at the
/// frame's pc, or by a constant.
DwarfLocation locate(Dwarf_Attribute& attribute, const DwarfFrame& frame, DwarfLimits& limits);

/// What a location's first 8 bytes, or fewer, say as a number; for what is no variable: a frame base, the
/// value at a call. Memory counts by its address. Nothing: it is not known.
std::optional<std::uint64_t> number_at(const DwarfLocation& location);

/// The register that an expression alone names (DW_OP_reg*); nothing: it is another one.
std::optional<int> named_register(const Dwarf_Op* ops, std::size_t count);

}  // namespace kdev::crash
