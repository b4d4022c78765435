#pragma once
// The rows of OpenBSD's crash table.
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::guest {

std::vector<CrashFormat> openbsd_console_formats();
FunctionRules openbsd_function_rules();
const ConsoleRules& openbsd_console_rules();  // console.cpp

}  // namespace kdev::guest
