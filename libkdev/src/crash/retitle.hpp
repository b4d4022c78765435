#pragma once
#include <kdev/crash.hpp>

namespace kdev::crash {

/// Names a scanned report anew, by its text and the traces that it has now: kind, title, type, function,
/// alternative_titles, corrupted. The instruction that trapped is the frame after a trap's entry.
void retitle(CrashReport& report, Os os);

}  // namespace kdev::crash
