#pragma once
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
  std::string_view pc_name;
  std::vector<std::pair<std::string_view, int>> names{};  ///< as reports print them
};

/// Null: not known.
const Machine* machine_for(std::string_view arch);

}  // namespace kdev::crash
