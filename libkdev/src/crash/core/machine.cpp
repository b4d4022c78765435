#include "crash/core/machine.hpp"

namespace kdev::crash {

namespace {

std::vector<std::pair<std::string_view, int>> arm64_names() {
  static constexpr std::string_view general[]{"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
                                              "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
                                              "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
                                              "x24", "x25", "x26", "x27", "x28", "x29", "lr",  "sp"};
  std::vector<std::pair<std::string_view, int>> names;
  for (const auto name : general) names.emplace_back(name, static_cast<int>(names.size()));
  return names;
}

}  // namespace

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
      // DWARF for the Arm 64-bit Architecture, 4.1; pointer authentication with addresses of 48 bits.
      {.arch = "aarch64",
       .frame_pointer = 29,
       .stack_pointer = 31,
       .return_column = 30,
       .columns = 32,
       .preserved = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29},
       .link_register = 30,
       .signature = 0xffff000000000000,
       .upper_half = std::uint64_t{1} << 55,
       .pc_name = "PC",
       .names = arm64_names()},
  };
  for (const auto& m : machines)
    if (m.arch == arch) return &m;
  return nullptr;
}

}  // namespace kdev::crash
