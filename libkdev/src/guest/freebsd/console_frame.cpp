#include "guest/freebsd/console_frame.hpp"

#include <charconv>

namespace kdev::guest {
namespace {

bool take(std::string_view& s, std::string_view what) {
  if (!s.starts_with(what)) return false;
  s.remove_prefix(what.size());
  return true;
}

/// "0x12ab", "12ab", "0".
bool take_hex(std::string_view& s, std::uint64_t& value) {
  auto digits = s;
  take(digits, "0x");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc()) return false;
  s = digits.substr(static_cast<std::size_t>(end - digits.data()));
  return true;
}

std::size_t name_length(std::string_view s) {
  std::size_t n = 0;
  while (n < s.size() && n < 256 &&
         (std::isalnum(static_cast<unsigned char>(s[n])) || s[n] == '_' || s[n] == '.' || s[n] == '$' ||
          s[n] == ':' || s[n] == '?'))
    ++n;
  return n;
}

/// "func+0x12"; "func" alone is its first instruction.
bool take_symbol(std::string_view& s, StackFrame& frame) {
  const std::size_t n = name_length(s);
  if (!n) return false;
  auto rest = s.substr(n);
  std::uint64_t offset = 0;
  if (take(rest, "+") && !take_hex(rest, offset)) return false;
  frame.function = s.substr(0, n);
  frame.offset = offset;
  s = rest;
  return true;
}

/// Code without a symbol: an address stands where its name would.
void nameless(StackFrame& frame, std::uint64_t address) {
  frame.function.clear();
  frame.offset = 0;
  if (address) frame.address = address;
}

}  // namespace

std::optional<StackFrame> parse_freebsd_symbol(std::string_view text) {
  StackFrame frame;
  return take_symbol(text, frame) && text.empty() ? std::optional(frame) : std::nullopt;
}

std::optional<StackFrame> parse_freebsd_frame(std::string_view text) {
  text = text.substr(0, 1024);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  StackFrame frame;
  std::uint64_t ignored = 0;
  if (take(text, "#")) {
    const auto at = text.find(' ');
    if (at == 0 || at > 4 || text.find_first_not_of("0123456789") != at) return std::nullopt;
    text.remove_prefix(at + 1);
    if (!take_hex(text, frame.address) || !take(text, " at ") || !take_symbol(text, frame) || !text.empty())
      return std::nullopt;
    if (frame.function == "??") nameless(frame, 0);
    return frame;
  }
  const std::size_t n = name_length(text);
  const auto name = text.substr(0, n);
  text.remove_prefix(n);
  if (!n || !take(text, "(")) return std::nullopt;
  const auto close = text.substr(0, 256).find(") at ");  // i386 prints arguments
  if (close == std::string_view::npos) return std::nullopt;
  text.remove_prefix(close + 5);
  auto where = text;
  std::uint64_t address = 0;
  if (where.starts_with("0x") || where.starts_with("0/") || where == "0") {
    // Beyond any symbol, whatever the nearest one's name is.
    if (!take_hex(where, address)) return std::nullopt;
    nameless(frame, address);
  } else if (!take_symbol(where, frame)) {
    return std::nullopt;
  } else if (name == "??") {
    nameless(frame, 0);
  }
  if (take(where, "/frame ") && !take_hex(where, ignored)) return std::nullopt;
  return where.empty() ? std::optional(frame) : std::nullopt;
}

std::optional<TrapLine> parse_freebsd_trap_line(std::string_view text) {
  if (!take(text, "--- ")) return std::nullopt;
  TrapLine line{};
  if (text.starts_with("trap") || text.starts_with("exception"))
    line.kind = TrapLine::Kind::trap;
  else if (text.starts_with("interrupt"))
    line.kind = TrapLine::Kind::interrupt;
  else if (text.starts_with("syscall") || text.starts_with("system call"))
    line.kind = TrapLine::Kind::syscall;
  else
    return std::nullopt;
  for (const std::string_view name : {" rip = ", " eip = ", " pc = "})
    if (const auto at = text.find(name); at != std::string_view::npos) {
      text.remove_prefix(at + name.size());
      take_hex(text, line.pc);
      break;
    }
  return line;
}

}  // namespace kdev::guest
