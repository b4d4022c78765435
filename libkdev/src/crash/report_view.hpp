#pragma once
// What the text and HTML forms of a report share.
#include <kdev/crash.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::view {

/// "func+0x12/0x34 [module]"; inlined frames have no offset.
std::string label(const StackFrame& frame);
/// "file:line", or empty.
std::string place(const StackFrame& frame);
/// "2 arguments, 3 locals"; empty: there are none.
std::string variable_counts(const StackFrame& frame);
/// A frame's variables in lines: arguments, locals, and the names of those that are not known.
std::string variables(const StackFrame& frame);
/// How many frames from `at` on are the same entry again and again (deep recursion): at least 1.
std::size_t repeats(const std::vector<StackFrame>& frames, std::size_t at);
/// "sh (35) on CPU 1, kernel 6.1.192, Tainted: G W"
std::string facts(const CrashReport& report);
/// "type WARNING, the kernel panicked, report incomplete"; empty: nothing to say.
std::string flags(const CrashReport& report);
/// Sentences: of the fault, the object that was misused, and registers that hold marks.
std::vector<std::string> memory_facts(const CrashReport& report);
/// Program counter first, then the general ones, the rest by name.
std::vector<std::string> register_order(const std::map<std::string, std::string>& registers);
std::string_view last_lines(std::string_view text, std::size_t count);
std::string indented(std::string_view text, std::string_view indent);

}  // namespace kdev::view
