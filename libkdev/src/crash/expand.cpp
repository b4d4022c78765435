#include "crash/expand.hpp"

namespace kdev::crash {
namespace {

/// A call's return address may already belong to the next line, or to the next function.
std::uint64_t looked_up(std::uint64_t address, bool return_address) {
  return return_address && address > 0 ? address - 1 : address;
}

std::vector<StackFrame> frames_of(const DebugInfo& info, SourceText& source, std::uint64_t address,
                                  bool return_address, std::vector<SourceStep> steps, bool source_text) {
  const auto* symbol = info.covering(looked_up(address, return_address));
  std::vector<StackFrame> frames;
  for (auto& step : steps) {
    if (step.function.empty() && !step.inlined && !symbol) return {};  // a line of no function
    StackFrame frame;
    frame.function = std::move(step.function);
    frame.inlined = step.inlined;
    frame.file = step.file.empty() ? std::string() : source.relative(step.file, &info.file());
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
    // Of several names, the one of the source.
    if (const auto* own = info.alias(*symbol, real.function)) symbol = own;
    real.function = symbol->name;  // with the compiler's suffixes, as the kernel prints it
    real.offset = address - symbol->address;
    real.size = symbol->extent;
  }
  return frames;
}

}  // namespace

std::vector<StackFrame> expand(const DebugInfo& info, SourceText& source, std::uint64_t address,
                               bool return_address, bool source_text) {
  return frames_of(info, source, address, return_address, info.expand(looked_up(address, return_address)),
                   source_text);
}

std::vector<std::vector<StackFrame>> expand_all(const DebugInfo& info, SourceText& source,
                                                const std::vector<std::uint64_t>& addresses,
                                                bool return_address, bool source_text) {
  std::vector<std::uint64_t> asked;
  for (const std::uint64_t address : addresses) asked.push_back(looked_up(address, return_address));
  auto steps = info.expand_all(asked);
  std::vector<std::vector<StackFrame>> found;
  found.reserve(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i)
    found.push_back(frames_of(info, source, addresses[i], return_address, std::move(steps[i]), source_text));
  return found;
}

}  // namespace kdev::crash
