#include "crash/core/machine.hpp"

namespace kdev::crash {

const Machine* machine_for(std::string_view arch) {
  static const std::vector<Machine> machines{
      // System V ABI for AMD64, figure 3.36.
      {.arch = "x86_64",
       .frame_pointer = 6,
       .stack_pointer = 7,
       .return_column = 16,
       .columns = 17,
       .preserved = {3, 6, 12, 13, 14, 15},
       .call = "\xe8",
       .pc_name = "RIP",
       .names = {{"RAX", 0},
                 {"RDX", 1},
                 {"RCX", 2},
                 {"RBX", 3},
                 {"RSI", 4},
                 {"RDI", 5},
                 {"RBP", 6},
                 {"RSP", 7},
                 {"R8", 8},
                 {"R9", 9},
                 {"R10", 10},
                 {"R11", 11},
                 {"R12", 12},
                 {"R13", 13},
                 {"R14", 14},
                 {"R15", 15}}},
  };
  for (const auto& m : machines)
    if (m.arch == arch) return &m;
  return nullptr;
}

}  // namespace kdev::crash
