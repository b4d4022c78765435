#pragma once
// Values of variables as text.
#include <elfutils/libdw.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "crash/dwarf_location.hpp"

namespace kdev::crash {

/// What values refer to.
struct ValueSurroundings {
  const guest::KernelView* memory = nullptr;
  /// "init_task+64", of an address in memory; empty: nothing has a name there.
  std::function<std::string(std::uint64_t)> symbol{};
};

/// A variable's bytes, as far as they are known.
struct KnownBytes {
  std::string bytes{};
  std::vector<DwarfPiece::Kind> kinds{};  ///< of each byte; `value`: it is known
};

/// The bytes of a variable; of a large one, only as many as are ever printed.
KnownBytes fetch(const DwarfLocation& location, std::uint64_t size, const guest::KernelView& memory);

/// As gdb prints it with `set print max-depth 1` and a limit to the elements: "5", "0xffff888003a1c000",
/// "0xffffffff81e3f0a1 \"text\"", "{a = 1, b = {...}}", "TASK_RUNNING", "<optimized out>".
std::string value_text(Dwarf_Die type, const KnownBytes& value, const ValueSurroundings& around);

/// What stands for a value that is not known.
std::string missing_text(DwarfPiece::Kind kind);

}  // namespace kdev::crash
