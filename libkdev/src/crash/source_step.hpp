#pragma once
#include <string>

namespace kdev::crash {

/// One step of an address's expansion: the innermost inlined function first, the real one last.
struct SourceStep {
  std::string function;
  std::string file;  ///< as absolute as the debug information makes it
  int line = 0;
  bool inlined = false;
  bool operator==(const SourceStep&) const = default;
};

}  // namespace kdev::crash
