#pragma once
#include <kdev/crash.hpp>
#include <vector>

#include "crash/debug_info.hpp"
#include "crash/source_text.hpp"

namespace kdev::crash {

/// The frames at an address of a file: inlined ones first (innermost), then the real one. Empty: no function
/// is there. `source_text`: with the source's lines.
std::vector<StackFrame> expand(const DebugInfo& info, SourceText& source, std::uint64_t address,
                               bool return_address, bool source_text = true);
/// Many at once, see DebugInfo::expand_all().
std::vector<std::vector<StackFrame>> expand_all(const DebugInfo& info, SourceText& source,
                                                const std::vector<std::uint64_t>& addresses,
                                                bool return_address, bool source_text = true);

}  // namespace kdev::crash
