#pragma once
// Stack traces as ddb prints them on OpenBSD and NetBSD.
#include <kdev/crash.hpp>
#include <optional>
#include <string_view>

namespace kdev::guest {

/// "func(args) at func+0x12", NetBSD's "func() at netbsd:func+0x12", "#3  func+0x12" of a saved stack, each
/// with what a symbolizing program may have added: "dir/file.c:12", "inlined dir/file.c:12 [inline]".
/// db_stack_trace_print() of the machines' db_trace.c; stacktrace_print() in OpenBSD's kern/subr_witness.c.
std::optional<StackFrame> parse_ddb_frame(std::string_view text);

/// "func+0x12", "netbsd:func+0x12", "module:func", "0x12".
std::optional<StackFrame> parse_ddb_symbol(std::string_view text);

}  // namespace kdev::guest
