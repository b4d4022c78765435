#include "guest/linux/console_line.hpp"

#include "guest/console_text.hpp"

namespace kdev::guest {
namespace {

constexpr std::size_t max_records = 16;  // more messages than that do not meet on one line

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of a timestamp at the beginning of `s` ("[   12.345678]", "[   12.345678,1]"), or 0.
std::size_t timestamp(std::string_view s) {
  std::size_t i = 1;
  while (i < s.size() && s[i] == ' ') ++i;
  const std::size_t whole = i;
  while (i < s.size() && digit(s[i])) ++i;
  if (i == whole || i >= s.size() || s[i] != '.') return 0;
  const std::size_t fraction = ++i;
  while (i < s.size() && digit(s[i])) ++i;
  if (i - fraction != 6) return 0;
  while (i < s.size() && (s[i] == ',' || digit(s[i]))) ++i;  // some vendors append the CPU
  return i < s.size() && s[i] == ']' ? i + 1 : 0;
}

/// Takes "[  T123]" or "[ C1]" off `s`.
std::string_view take_caller(std::string_view& s) {
  std::size_t i = 0;
  if (i < s.size() && s[i] == ' ') ++i;
  if (i >= s.size() || s[i] != '[') return {};
  ++i;
  while (i < s.size() && s[i] == ' ') ++i;
  const std::size_t begin = i;
  if (i >= s.size() || (s[i] != 'T' && s[i] != 'C')) return {};
  ++i;
  const std::size_t number = i;
  while (i < s.size() && digit(s[i])) ++i;
  if (i == number || i >= s.size() || s[i] != ']') return {};
  const auto caller = s.substr(begin, i - begin);
  s.remove_prefix(i + 1);
  return caller;
}

std::size_t level(std::string_view s) {
  if (s.size() < 3 || s[0] != '<' || !digit(s[1])) return 0;
  if (s[2] == '>') return 3;
  return s.size() > 3 && digit(s[2]) && s[3] == '>' ? 4 : 0;
}

bool has_clock(std::string_view s) {
  for (std::size_t i = 0; i + 8 <= s.size(); ++i)
    if (s[i + 2] == ':' && s[i + 5] == ':' && digit(s[i]) && digit(s[i + 1]) && digit(s[i + 3]) &&
        digit(s[i + 4]) && digit(s[i + 6]) && digit(s[i + 7]))
      return true;
  return false;
}

/// A logger's prefix on a line without a printk timestamp: its length, and whether it names the kernel.
std::size_t logger_prefix(std::string_view s, bool& kernel) {
  kernel = false;
  if (s.empty() || s.size() < 16) return 0;
  const bool dmesg_t = s[0] == '[' && s.size() > 26 && s[25] == ']';  // dmesg -T
  if (dmesg_t && has_clock(s.substr(0, 26))) {
    kernel = true;
    return s[26] == ' ' ? 27 : 26;
  }
  if (s.size() > 20 && s[4] == '/' && s[7] == '/' && s[10] == ' ' && has_clock(s.substr(11, 8)) &&
      s[19] == ' ')
    return 20;  // 2018/01/09 14:28:48
  if (const auto prompt = s.substr(0, 80).find(" login: "); prompt != std::string_view::npos)
    return prompt + 8;
  if (!digit(s[0]) && !(s[0] >= 'A' && s[0] <= 'Z')) return 0;
  const auto at = s.substr(0, 100).find(" kernel:");
  if (at == std::string_view::npos || !has_clock(s.substr(0, at))) return 0;
  kernel = true;
  return at + 8 + (at + 8 < s.size() && s[at + 8] == ' ');
}

}  // namespace

void split_linux_line(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) {
  raw = plain_line(raw, scratch);
  ConsoleRecord record;
  raw.remove_prefix(level(raw));
  std::size_t from = 0;
  const std::size_t most = out.size() + max_records;
  for (std::size_t at = raw.find('['); at != std::string_view::npos && out.size() + 1 < most;
       at = raw.find('[', at + 1)) {
    const std::size_t length = timestamp(raw.substr(at));
    if (!length) continue;
    record.text = raw.substr(from, at - from);
    bool kernel = false;
    if (!record.stamped) record.text.remove_prefix(logger_prefix(record.text, kernel));
    if (record.stamped || record.text.find_first_not_of(" \t") != std::string_view::npos)
      out.push_back(record);
    auto rest = raw.substr(at + length);
    record = {};
    record.stamped = true;
    record.caller = take_caller(rest);
    if (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
    rest.remove_prefix(level(rest));
    from = raw.size() - rest.size();
    at = from == 0 ? 0 : from - 1;
  }
  record.text = raw.substr(from);
  if (!record.stamped) {
    bool kernel = false;
    record.text.remove_prefix(logger_prefix(record.text, kernel));
    record.stamped = kernel;
  }
  out.push_back(record);
}

}  // namespace kdev::guest
