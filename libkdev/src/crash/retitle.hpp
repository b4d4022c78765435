#pragma once
#include <kdev/crash.hpp>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// Names a scanned report anew, by its text and the traces that it has now: kind, title, type, function,
/// alternative_titles, corrupted. The instruction that trapped is the frame after a trap's entry, of which
/// `traps` knows the names.
void retitle(CrashReport& report, Os os, const guest::CoreRules& traps);

}  // namespace kdev::crash
