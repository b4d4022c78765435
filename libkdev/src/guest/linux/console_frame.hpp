#pragma once
#include <kdev/crash.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kdev::guest {

/// A line of a stack trace, or nothing. The formats are those of printk_stack_address and show_trace_log_lvl
/// (arch/x86/kernel/dumpstack.c), dump_backtrace_entry (arch/arm, arch/arm64), stack_trace_print, with what
/// syz-symbolize or decode_stacktrace.sh add at the end (file:line, "[inline]"). `context` is set to the name
/// of the last "<IRQ>"-like marker on the line, and to "" by "</IRQ>"; it is left alone without one. A line
/// of markers alone gives nothing, with `marker` set.
std::optional<StackFrame> parse_linux_frame(std::string_view text, std::string& context, bool& marker);

/// "func+0x12/0x34 [module]" -> frame without address. `text` must be that and maybe blank- or
/// comma-separated more.
std::optional<StackFrame> parse_linux_symbol(std::string_view text);

}  // namespace kdev::guest
