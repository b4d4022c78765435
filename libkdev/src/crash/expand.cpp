#include "crash/expand.hpp"

namespace kdev::crash {

std::vector<StackFrame> expand(const DebugInfo& info, SourceText& source, std::uint64_t address,
                               bool return_address, bool source_text) {
  // A call's return address may already belong to the next line, or to the next function.
  const auto* symbol = info.covering(address);
  const std::uint64_t at = return_address && address > 0 ? address - 1 : address;
  if (return_address) symbol = info.covering(at);
  std::vector<StackFrame> frames;
  for (auto& step : info.expand(at)) {
    if (step.function.empty() && !step.inlined && !symbol) return {};  // a line of no function
    StackFrame frame;
    frame.function = step.function;
    frame.inlined = step.inlined;
    frame.file = step.file.empty() ? std::string() : source.relative(step.file);
    frame.line = step.line;
    if (source_text) frame.source = source.line(frame.file, frame.line);
    frames.push_back(std::move(frame));
  }
  if (frames.empty()) {
    if (!symbol) return frames;
    frames.emplace_back();
  }
  if (symbol) {
    auto& real = frames.back();
    real.function = symbol->name;  // with the compiler's suffixes, as the kernel prints it
    real.offset = address - symbol->address;
    real.size = symbol->extent;
  }
  return frames;
}

}  // namespace kdev::crash
