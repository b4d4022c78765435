#pragma once
#include <string>
#include <string_view>

namespace kdev::crash {

/// A C++ or Rust symbol as its source has it, without arguments and the compiler's hash; any other as it is.
std::string demangled(std::string_view symbol);

}  // namespace kdev::crash
