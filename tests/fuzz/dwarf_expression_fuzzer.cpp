// Any operations are an expression: its evaluation ends.
#include <cstdint>
#include <cstring>

#include "crash/dwarf_location.hpp"
#include "fuzz/word_memory.hpp"

using namespace kdev;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // An operation is a byte, what its first number looks like, and that in two bytes.
  constexpr std::size_t record = 5;
  const fuzz::WordMemory memory(data, size);
  const guest::Registers registers{.values = {{0, memory.base}, {6, memory.base + 64}, {7, ~0ull}}};
  std::vector<Dwarf_Op> ops;
  for (std::size_t at = 0; at + record <= size; at += record) {
    Dwarf_Op op{};
    op.atom = data[at];
    op.number = memory.word(data + at + 1);
    op.number2 = data[at + 4];
    op.offset = at;
    ops.push_back(op);
  }
  crash::DwarfLimits limits;
  const crash::DwarfFrame frame{.memory = &memory, .registers = &registers, .cfa = memory.base + 128};
  const auto location = crash::evaluate(ops.data(), ops.size(), frame, nullptr, limits);
  if (location.empty()) __builtin_trap();
  crash::number_at(location);
  crash::named_register(ops.data(), ops.size());
  return 0;
}
