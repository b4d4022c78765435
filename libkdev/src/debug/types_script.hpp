#pragma once
#include <string_view>

namespace kdev::debug {

/// A script in gdb's Python: the command "kdev-types COUNT" prints, for each of the selected thread's
/// innermost frames, a JSON object: of each variable that can be seen there, by its name, [its type, whether
/// it is an aggregate]. MI tells types, too, but looks for what a C++ program could mean by their names: of
/// "struct file", in a kernel, that takes seconds. "kdev-types-of LEVEL" does it for one frame.
std::string_view types_script();

}  // namespace kdev::debug
