#include "debug/frames.hpp"

#include <algorithm>
#include <charconv>

namespace kdev::debug {
namespace {

constexpr int around = 5;  // lines of source on either side of a frame's own

const json::object* tuple(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v && v->is_object() ? &v->as_object() : nullptr;
}

std::string text(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v && v->is_string() ? std::string(v->as_string()) : std::string();
}

}  // namespace

std::uint64_t hex_number(const std::string& text) {
  std::uint64_t value = 0;
  const std::size_t begin = text.starts_with("0x") ? 2 : 0;
  std::from_chars(text.data() + begin, text.data() + text.size(), value, 16);
  return value;
}

int number(const json::object& o, std::string_view key) {
  int value = 0;
  const std::string digits = text(o, key);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::vector<Variable> variables_from(const json::object& o, std::string_view key) {
  std::vector<Variable> variables;
  if (const auto* list = o.if_contains(key); list && list->is_array())
    for (const auto& v : list->as_array())
      if (v.is_object()) {
        Variable variable{.name = text(v.as_object(), "name"),
                          .value = text(v.as_object(), "value"),
                          .type = text(v.as_object(), "type")};
        variable.available = variable.value != "<optimized out>";
        variables.push_back(std::move(variable));
      }
  return variables;
}

DebugFrame frame_from(const json::object& o, crash::SourceText& sources) {
  DebugFrame frame;
  frame.level = number(o, "level");
  frame.function = text(o, "func");
  if (frame.function == "??") frame.function.clear();
  frame.address = hex_number(text(o, "addr"));
  frame.line = number(o, "line");
  std::string file = text(o, "fullname");
  if (file.empty()) file = text(o, "file");
  if (!file.empty()) {
    frame.file = sources.relative(file);
    frame.source = sources.line(frame.file, frame.line);
    frame.context_begin = std::max(frame.line - around, 1);
    frame.context = sources.lines(frame.file, frame.context_begin, frame.line + around);
    if (frame.line <= 0 || frame.source.empty()) frame.context.clear();
    if (frame.context.empty()) frame.context_begin = 0;
  }
  frame.args = variables_from(o, "args");
  return frame;
}

DebugStop stop_from(const json::object& o, crash::SourceText& sources) {
  DebugStop stop;
  stop.reason = text(o, "reason");
  stop.signal = text(o, "signal-name");
  stop.breakpoint = number(o, "bkptno");
  if (const auto* frame = tuple(o, "frame")) stop.frame = frame_from(*frame, sources);
  stop.returned = text(o, "return-value");
  for (const char* kind : {"wpt", "hw-rwpt", "hw-awpt"})
    if (const auto* watchpoint = tuple(o, kind)) stop.breakpoint = number(*watchpoint, "number");
  if (const auto* value = tuple(o, "value")) {
    stop.old_value = text(*value, "old");
    stop.new_value = text(*value, "new");
    if (stop.new_value.empty()) stop.new_value = text(*value, "value");
  }
  return stop;
}

DebugBreakpoint breakpoint_from(const json::object& o, crash::SourceText& sources) {
  DebugBreakpoint made;
  made.number = number(o, "number");
  made.kind = text(o, "type");
  made.pending = text(o, "addr") == "<PENDING>";
  made.hits = static_cast<std::uint64_t>(number(o, "times"));
  if (made.kind.find("watchpoint") != std::string::npos) made.expression = text(o, "what");
  const json::object* place = &o;
  if (const auto* several = o.if_contains("locations");
      several && several->is_array() && !several->as_array().empty() && several->as_array()[0].is_object())
    place = &several->as_array()[0].as_object();
  const DebugFrame frame = frame_from(*place, sources);
  made.address = frame.address;
  made.function = frame.function;
  made.file = frame.file;
  made.line = frame.line;
  return made;
}

std::string bytes_from(const json::object& results) {
  std::string bytes;
  const auto* parts = results.if_contains("memory");
  if (!parts || !parts->is_array() || parts->as_array().empty() || !parts->as_array()[0].is_object())
    return bytes;
  const json::object& first = parts->as_array()[0].as_object();
  if (hex_number(text(first, "offset")) != 0) return bytes;
  const std::string digits = text(first, "contents");
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

void add_instructions(const json::object& line, crash::SourceText& sources,
                      std::vector<DebugInstruction>& code) {
  std::string file = text(line, "fullname");
  if (file.empty()) file = text(line, "file");
  if (!file.empty()) file = sources.relative(file);
  const int number_of_line = number(line, "line");
  const std::string source = file.empty() ? "" : sources.line(file, number_of_line);
  const auto* list = line.if_contains("line_asm_insn");
  if (!list || !list->is_array()) return;
  for (const auto& v : list->as_array()) {
    if (!v.is_object()) continue;
    const json::object& o = v.as_object();
    DebugInstruction one{.address = hex_number(text(o, "address")),
                         .function = text(o, "func-name"),
                         .offset = number(o, "offset"),
                         .text = text(o, "inst"),
                         .file = file,
                         .line = number_of_line,
                         .source = source};
    for (const char c : text(o, "opcodes"))
      if (c != ' ') one.bytes += c;
    for (char& c : one.text)
      if (c == '\t') c = ' ';
    code.push_back(std::move(one));
  }
}

}  // namespace kdev::debug
