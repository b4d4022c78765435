#include "guest/ddb_frame.hpp"

#include <cctype>
#include <charconv>

namespace kdev::guest {
namespace {

bool take(std::string_view& s, std::string_view what) {
  if (!s.starts_with(what)) return false;
  s.remove_prefix(what.size());
  return true;
}

template <class Number>
bool take_number(std::string_view& s, Number& value, int base) {
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, base);
  if (error != std::errc()) return false;
  s.remove_prefix(static_cast<std::size_t>(end - s.data()));
  return true;
}

std::size_t name_length(std::string_view s) {
  std::size_t n = 0;
  while (n < s.size() && n < 256 &&
         (std::isalnum(static_cast<unsigned char>(s[n])) || s[n] == '_' || s[n] == '.' || s[n] == '$'))
    ++n;
  return n;
}

bool take_symbol(std::string_view& s, StackFrame& frame) {
  auto rest = s;
  if (take(rest, "0x")) {
    if (!take_number(rest, frame.address, 16)) return false;
    s = rest;
    return true;
  }
  std::size_t n = name_length(rest);
  if (n && n < rest.size() && rest[n] == ':') {  // whose symbol: the kernel's or a module's
    if (const auto owner = rest.substr(0, n); owner != "netbsd") frame.module = owner;
    rest.remove_prefix(n + 1);
    n = name_length(rest);
  }
  if (!n || std::isdigit(static_cast<unsigned char>(rest[0]))) return false;
  frame.function = rest.substr(0, n);
  rest.remove_prefix(n);
  if (take(rest, "+")) {
    // ddb's radix can be changed: decimal has no mark.
    const int base = take(rest, "0x") ? 16 : 10;
    if (!rest.empty() && !take_number(rest, frame.offset, base)) return false;
  }
  s = rest;
  return true;
}

/// " dir/file.c:12", " inlined dir/file.c:12 [inline]"; what does not fit is left.
void take_location(std::string_view& s, StackFrame& frame) {
  auto rest = s;
  if (!take(rest, " ")) return;
  StackFrame inlined;
  if (rest.ends_with(" [inline]")) {
    const std::size_t n = name_length(rest);
    inlined.function = rest.substr(0, n);
    rest.remove_prefix(n);
    rest.remove_suffix(9);
    if (!take(rest, " ")) return;
  }
  const auto colon = rest.rfind(':');
  if (colon == 0 || colon == rest.npos || rest.find(' ') != rest.npos) return;
  auto digits = rest.substr(colon + 1);
  int line = 0;
  if (!take_number(digits, line, 10) || !digits.empty()) return;
  frame.file = rest.substr(0, colon);
  frame.line = line > 0 ? line : 0;
  if (!inlined.function.empty()) {
    frame.function = inlined.function;
    frame.offset = 0;
    frame.inlined = true;
  }
  s = {};
}

}  // namespace

std::optional<StackFrame> parse_ddb_symbol(std::string_view text) {
  StackFrame frame;
  return take_symbol(text, frame) && text.empty() ? std::optional(frame) : std::nullopt;
}

std::optional<StackFrame> parse_ddb_frame(std::string_view text) {
  text = text.substr(0, 1024);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  StackFrame frame;
  if (take(text, "#")) {
    unsigned number = 0;
    if (!take_number(text, number, 10) || !take(text, " ")) return std::nullopt;
    take(text, " ");
  } else {
    const std::size_t n = name_length(text);
    if (!n || n >= text.size() || text[n] != '(') return std::nullopt;
    const auto close = text.substr(0, 512).find(") at ");
    if (close == text.npos) return std::nullopt;
    text.remove_prefix(close + 5);
  }
  if (!take_symbol(text, frame)) return std::nullopt;
  take_location(text, frame);
  return text.empty() ? std::optional(frame) : std::nullopt;
}

}  // namespace kdev::guest
