#include "guest/linux/console_frame.hpp"

#include <charconv>

namespace kdev::guest {
namespace {

void skip_blanks(std::string_view& s) {
  const auto n = s.find_first_not_of(" \t");
  s.remove_prefix(n == std::string_view::npos ? s.size() : n);
}

bool take(std::string_view& s, std::string_view prefix) {
  if (!s.starts_with(prefix)) return false;
  s.remove_prefix(prefix.size());
  return true;
}

/// Hex digits at the beginning of `s`, at most 16; false (and `s` untouched) when there are none.
bool take_hex(std::string_view& s, std::uint64_t& value) {
  const auto r = std::from_chars(s.data(), s.data() + s.size(), value, 16);
  if (r.ec != std::errc{}) return false;
  s.remove_prefix(r.ptr - s.data());
  return true;
}

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '$';
}

/// The length of a symbol's name at the beginning of `s`: C names, or Rust paths with their brackets and
/// blanks.
std::size_t name_length(std::string_view s) {
  std::size_t i = 0;
  while (i < s.size() && name_char(s[i])) ++i;
  const bool rust = i < s.size() && ((i == 0 && s[0] == '<') || s.substr(i).starts_with("::"));
  if (!rust) return i;
  const auto plus = s.find("+0x");
  return plus == std::string_view::npos ? 0 : plus;
}

/// " [ext4]" or " [ext4 0123abc...]" (with CONFIG_STACKTRACE_BUILD_ID), not "[inline]".
void take_module(std::string_view& s, StackFrame& frame) {
  auto rest = s;
  skip_blanks(rest);
  if (!take(rest, "[")) return;
  const std::size_t n = name_length(rest);
  const auto close = rest.find(']');
  if (!n || close == std::string_view::npos || close > n + 64) return;
  const auto module = rest.substr(0, n);
  if (module == "inline" || (close != n && rest[n] != ' ')) return;
  frame.module = module;
  s = rest.substr(close + 1);
}

/// " mm/slab.c:123" as symbolizing programs append it.
void take_location(std::string_view& s, StackFrame& frame) {
  auto rest = s;
  skip_blanks(rest);
  const auto end = rest.find_first_of(" \t");
  const auto word = rest.substr(0, end);
  const auto colon = word.find(':');
  if (colon == std::string_view::npos || colon == 0 || word.find_first_of("./") == std::string_view::npos)
    return;
  int line = 0;
  const auto r = std::from_chars(word.data() + colon + 1, word.data() + word.size(), line);
  if (r.ec != std::errc{} || line <= 0) return;
  if (word.substr(0, colon).find_first_of("()[]=,") != std::string_view::npos) return;
  frame.file = word.substr(0, colon);
  frame.line = line;
  s = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
}

/// "func+0x12/0x34"; false when it is not.
bool take_symbol(std::string_view& s, StackFrame& frame) {
  const std::size_t n = name_length(s);
  auto rest = s.substr(n);
  if (!n || !take(rest, "+0x") || !take_hex(rest, frame.offset)) return false;
  if (take(rest, "/0x") && !take_hex(rest, frame.size)) return false;
  frame.function = s.substr(0, n);
  s = rest;
  return true;
}

/// "<IRQ>", "</TASK>", "<<EOE>>", "<#DF>": true when one was taken.
bool take_marker(std::string_view& s, std::string& context) {
  auto rest = s;
  while (take(rest, "<")) {
  }
  if (rest.size() == s.size()) return false;
  const bool close = take(rest, "/");
  take(rest, "#");
  std::size_t n = 0;
  while (n < rest.size() && n < 12 &&
         ((rest[n] >= 'A' && rest[n] <= 'Z') || (n && rest[n] == '_') ||
          (n && rest[n] >= '0' && rest[n] <= '9')))
    ++n;
  if (n < 2 || n >= rest.size() || rest[n] != '>') return false;
  const auto name = rest.substr(0, n);
  rest.remove_prefix(n);
  while (take(rest, ">")) {
  }
  context = close || name == "EOI" || name == "EOE" ? std::string() : std::string(name);
  s = rest;
  return true;
}

/// "[<ffffffff81234567>]", "([<...>]", "[c000000001234567]": true when one was taken.
bool take_address(std::string_view& s, StackFrame& frame) {
  auto rest = s;
  take(rest, "(");
  if (!take(rest, "[")) return false;
  const bool angle = take(rest, "<");
  std::uint64_t address = 0;
  if (take_hex(rest, address)) {
    frame.address = address;
  } else {  // (ptrval), (____ptrval____)
    const auto close = rest.find(')');
    if (!rest.starts_with("(") || close == std::string_view::npos || close > 20) return false;
    rest.remove_prefix(close + 1);
  }
  if (angle && !take(rest, ">")) return false;
  if (!take(rest, "]")) return false;
  s = rest;
  return true;
}

/// "(func) from [<addr>] (caller+0x1/0x2)" and "func from caller+0x1/0x2": arm's lines name the caller as
/// well, and it is the caller whose address is given.
void take_from(std::string_view& s, StackFrame& frame) {
  const auto from = s.substr(0, 200).find(" from ");
  if (from == std::string_view::npos) return;
  auto callee = s.substr(0, from);
  take(callee, "(");
  if (name_length(callee) == 0) return;
  auto rest = s.substr(from + 6);
  take_address(rest, frame);
  skip_blanks(rest);
  take(rest, "(");
  s = rest;
}

}  // namespace

std::optional<StackFrame> parse_linux_symbol(std::string_view text) {
  StackFrame frame;
  skip_blanks(text);
  if (!take_symbol(text, frame)) return std::nullopt;
  take_module(text, frame);
  return frame;
}

std::optional<StackFrame> parse_linux_frame(std::string_view text, std::string& context, bool& marker) {
  marker = false;
  StackFrame frame;
  text = text.substr(0, 1024);
  skip_blanks(text);
  while (take_marker(text, context)) {
    marker = true;
    skip_blanks(text);
  }
  if (marker && text.starts_with("d [")) text.remove_prefix(2);  // a stray 'd' of old x86 kernels
  if (text.empty()) return std::nullopt;
  bool addressed = false;
  while (take_address(text, frame)) {
    addressed = true;
    skip_blanks(text);
  }
  take_from(text, frame);
  if (take(text, "? ")) frame.reliable = false;
  skip_blanks(text);
  if (take_symbol(text, frame)) {
    take_module(text, frame);
    skip_blanks(text);
    if (text.starts_with("(unreliable)")) frame.reliable = false;
    take(text, ")");
    take_location(text, frame);
    take_module(text, frame);  // syz-symbolize puts it behind
    skip_blanks(text);
    frame.inlined = text.starts_with("[inline]");
    // Anything else behind makes it a sentence that begins like a frame.
    const bool clean = text.empty() || text[0] == '[' || text[0] == '(' || text[0] == ']';
    return clean ? std::optional(frame) : std::nullopt;
  }
  const std::size_t n = name_length(text);
  if (n && text.find("[inline]") != std::string_view::npos) {
    frame.function = text.substr(0, n);
    text.remove_prefix(n);
    take_location(text, frame);
    take_module(text, frame);
    if (!frame.line) return std::nullopt;
    frame.inlined = true;
    return frame;
  }
  if (addressed && text.empty()) return frame;
  // Code without a symbol: JIT, an unloaded module, a kernel without KALLSYMS.
  auto digits = text;
  std::uint64_t address = 0;
  if (!take(digits, "0x") || !take_hex(digits, address)) return std::nullopt;
  frame.function = text.substr(0, text.size() - digits.size());
  if (!addressed && (frame.function.size() < 10 || !digits.empty())) return std::nullopt;
  frame.address = address;
  return frame;
}

}  // namespace kdev::guest
