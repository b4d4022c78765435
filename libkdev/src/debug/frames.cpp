#include "debug/frames.hpp"

#include <charconv>

namespace kdev::debug {
namespace {

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
  return stop;
}

}  // namespace kdev::debug
