#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace kdev::crash {

/// What unwinding has to know of a processor. To read dumps of another one: add it to the table, and its page
/// tables.
struct Machine {
  std::string_view arch;                                        ///< as KernelArtifact::arch
  int frame_pointer = 0, stack_pointer = 0, return_column = 0;  ///< DWARF numbers
  int columns = 0;               ///< registers that call frame information may speak of
  std::vector<int> preserved{};  ///< by calls
  std::string_view call{};       ///< opcode of a call to a 32-bit distance, which follows it
  int link_register = -1;        ///< where a call leaves its return address; -1: on the stack
  /// Bits of a return address that its signature may be in, where a kernel signs them. In the upper half of
  /// the address space, which is a kernel's, all are set without one; the other one tells the half.
  std::uint64_t signature = 0, upper_half = 0;
  std::string_view pc_name;
  std::vector<std::pair<std::string_view, int>> names{};  ///< as reports print them

  /// A return address without its signature.
  std::uint64_t code_address(std::uint64_t saved) const {
    return saved & upper_half ? saved | signature : saved;
  }
};

/// Null: not known.
const Machine* machine_for(std::string_view arch);

}  // namespace kdev::crash
