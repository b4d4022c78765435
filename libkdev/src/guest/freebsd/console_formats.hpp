#pragma once
// The rows of FreeBSD's crash table, by family. Order matters within a file, and among them as console.cpp
// joins them: the first row whose start fits a line wins.
#include <vector>

#include "guest/crash_format.hpp"

namespace kdev::guest {

struct BootPrompt;
/// boot_prompts.cpp
const BootPrompt* freebsd_boot_prompt(std::string_view line);

std::vector<CrashFormat> freebsd_ignored_formats();
std::vector<CrashFormat> freebsd_sanitizer_formats();  // KASAN, KMSAN, UBSan where they do not panic
std::vector<CrashFormat> freebsd_oops_formats();       // traps, NMI
std::vector<CrashFormat> freebsd_locking_formats();    // WITNESS, turnstiles
std::vector<CrashFormat> freebsd_panic_formats();      // panic(), and the debugger that somebody called
FunctionRules freebsd_function_rules();

}  // namespace kdev::guest
