#pragma once
#include <cstdint>
#include <string>

namespace kdev {

/// An argument or a local variable, as gdb prints it. A value.
struct Variable {
  std::string name{};   ///< "val@entry": what an argument was when the function was called, where it is not
                        ///< known since
  std::string value{};  ///< "5", "0xffff888003a1c000", "{a = 1, b = {...}}", "<optimized out>"; at most a few
                        ///< hundred characters
  std::string type{};   ///< as C writes it: "struct file *"
  std::uint64_t address = 0;  ///< in the guest's memory; 0: it is in a register, or computed, or not known
  bool available = true;      ///< false: `value` says why there is none
  bool operator==(const Variable&) const = default;
};

}  // namespace kdev
