// Any bytes are .debug_line; the last quarter of them are the strings that it refers to.
#include <cstdint>
#include <string>

#include "crash/line_program.hpp"

using namespace kdev::crash;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view strings = input.substr(size * 3 / 4);
  const LineSections sections{input.substr(0, size * 3 / 4), strings, strings};
  std::vector<LineRow> rows;
  LineProgram program(sections, 0, size % 2 ? "/folder" : nullptr);
  if (program.read_header()) program.run(rows);
  for (const auto& [folder, name] : program.take_files()) {
    if (name) (void)std::string(name).size();
    if (folder) (void)std::string(folder).size();
  }
  return 0;
}
