#include "guest/console_text.hpp"

namespace kdev::guest {

std::string_view plain_line(std::string_view raw, std::string& scratch) {
  while (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
  if (raw.find('\033') == raw.npos && raw.find('\r') == raw.npos) return raw;
  scratch.reserve(scratch.size() + raw.size());
  const std::size_t begin = scratch.size();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\r') continue;
    if (raw[i] == '\033' && i + 1 < raw.size() && raw[i + 1] == '[') {  // CSI ... final byte 0x40-0x7e
      i += 2;
      while (i < raw.size() && !(raw[i] >= 0x40 && raw[i] <= 0x7e)) ++i;
      continue;
    }
    scratch += raw[i];
  }
  return std::string_view(scratch).substr(begin);
}

}  // namespace kdev::guest
