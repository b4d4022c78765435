#include <kdev/crash.hpp>

namespace kdev {

const std::vector<StackFrame>& CrashReport::frames() const {
  static const std::vector<StackFrame> none;
  return traces.empty() ? none : traces[0].frames;
}

const StackFrame* CrashReport::guilty() const {
  if (function.empty()) return nullptr;
  for (const auto& trace : traces)
    for (const auto& frame : trace.frames)
      if (frame.function == function && frame.line > 0) return &frame;
  return nullptr;
}

}  // namespace kdev
