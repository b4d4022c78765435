#pragma once
// What the consoles of all guests have in common.
#include <string>
#include <string_view>

namespace kdev::guest {

/// The line without terminal colours, '\r' and other CSI sequences, appended to `scratch` where it has any.
/// Views into `scratch` become invalid when it grows: it has to be empty at the start of a line.
std::string_view plain_line(std::string_view raw, std::string& scratch);

}  // namespace kdev::guest
