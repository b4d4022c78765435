#pragma once
// The systems whose consoles can be read. Some of them are guests; of the others kdev knows only what their
// kernels print when they crash. To add one: guest/NAME/console.cpp and a row in consoles.cpp.
#include <kdev/crash.hpp>
#include <string_view>
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::guest {

struct ConsoleSystem {
  std::string_view name;  ///< as scan_console() takes it; a guest's is that of its Os
  const ConsoleRules& (*rules)();
};

const std::vector<ConsoleSystem>& console_systems();

/// ConfigError, naming those there are, when it is none of them.
const ConsoleRules& console_rules_for(std::string_view system);

/// The system that most lines of the text look like; an empty name when none does. Of a long text its
/// beginning and its end count.
std::string_view detect_console(std::string_view text);

}  // namespace kdev::guest
