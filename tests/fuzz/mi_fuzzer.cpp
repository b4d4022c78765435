// gdb's answers hold what the debugged kernel's memory holds.
#include <cstddef>
#include <cstdint>

#include "debug/mi.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kdev::debug::parse_mi({reinterpret_cast<const char*>(data), size});
  return 0;
}
