#pragma once
#include <cstdint>
#include <kdev/crash.hpp>
#include <string_view>

#include "crash/debug_info.hpp"

namespace kdev::crash {

/// How a frame's function fits the symbols of the file that it is looked up in.
enum class Fit { exact, only_name, unknown };

struct SymbolPlace {
  const ElfSymbol* symbol = nullptr;
  Fit fit = Fit::unknown;
  bool ambiguous = false;
};

/// The symbol that a printed name and size mean. kallsyms prints the distance to the next symbol as size,
/// other tools st_size: both are taken. `address`: what the report prints beside it, which settles everything
/// where the kernel was not moved; 0: nothing.
SymbolPlace place_of(const DebugInfo& info, std::string_view name, std::uint64_t size, std::uint64_t offset,
                     std::uint64_t address = 0);

/// The address of a frame that was printed without a symbol, or 0.
std::uint64_t bare_address(const StackFrame& frame);

}  // namespace kdev::crash
