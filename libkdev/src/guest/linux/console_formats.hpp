#pragma once
// The rows of Linux's crash table, by family. Order matters within a file, and among them as console.cpp
// joins them: the first row whose start fits a line wins.
#include <vector>

#include "guest/crash_format.hpp"

namespace kdev::guest {

std::vector<CrashFormat> linux_ignored_formats();
std::vector<CrashFormat> linux_sanitizer_formats();  // KASAN, KMSAN, KCSAN, KFENCE, UBSAN, kmemleak
std::vector<CrashFormat> linux_oops_formats();       // exceptions and BUG()
std::vector<CrashFormat> linux_warning_formats();    // WARN() and its special users
std::vector<CrashFormat> linux_locking_formats();    // lockdep, RCU, atomic context
std::vector<CrashFormat> linux_hang_formats();       // hung tasks, stalls, lockups
std::vector<CrashFormat> linux_system_formats();     // without a report of the kernel's own
std::vector<CrashFormat> linux_panic_formats();      // panic() and whatever else is shouted
FunctionRules linux_function_rules();

}  // namespace kdev::guest
