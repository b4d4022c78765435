#pragma once
// MI's tuples as kdev's values.
#include <kdev/debug_session.hpp>

#include "common/json.hpp"
#include "crash/source_text.hpp"

namespace kdev::debug {

std::uint64_t hex_number(const std::string& text);
int number(const json::object& o, std::string_view key);
DebugFrame frame_from(const json::object& o, crash::SourceText& sources);
std::vector<Variable> variables_from(const json::object& o, std::string_view key);
DebugStop stop_from(const json::object& o, crash::SourceText& sources);
DebugBreakpoint breakpoint_from(const json::object& o, crash::SourceText& sources);
/// Of -data-read-memory-bytes: what it could read from the first address on.
std::string bytes_from(const json::object& results);
/// Of -data-disassemble in mode 5: one line's.
void add_instructions(const json::object& line, crash::SourceText& sources,
                      std::vector<DebugInstruction>& code);

}  // namespace kdev::debug
