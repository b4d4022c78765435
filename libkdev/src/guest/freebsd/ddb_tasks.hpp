#pragma once
#include <kdev/kernel_debugger.hpp>
#include <string_view>
#include <vector>

namespace kdev::guest {

/// The rows of ddb's "ps" (sys/ddb/db_ps.c): processes, and below one with several threads those, with its
/// pid and their own tid.
std::vector<DebuggerTask> read_ddb_tasks(std::string_view answer);

}  // namespace kdev::guest
