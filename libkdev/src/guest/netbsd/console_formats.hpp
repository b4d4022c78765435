#pragma once
// The rows of NetBSD's crash table.
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::guest {

std::vector<CrashFormat> netbsd_console_formats();
FunctionRules netbsd_function_rules();
const ConsoleRules& netbsd_console_rules();  // console.cpp

}  // namespace kdev::guest
