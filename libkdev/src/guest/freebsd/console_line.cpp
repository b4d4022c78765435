#include "guest/freebsd/console_line.hpp"

#include <re2/re2.h>

#include <cstring>

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}

std::string_view uncoloured(std::string_view raw, std::string& scratch) {
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

}  // namespace

void split_freebsd_line(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) {
  while (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
  if (std::memchr(raw.data(), '\033', raw.size()) || std::memchr(raw.data(), '\r', raw.size())) {
    // A reallocation would invalidate earlier views: the caller gives an empty scratch for each line.
    scratch.reserve(scratch.size() + raw.size());
    raw = uncoloured(raw, scratch);
  }
  static const RE2 prefix(
      R"(^(?:<\d{1,3}>|\[\d{1,10}(?:\.\d{1,6})?\] |[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:\S{1,64} )?kernel: ))");
  // Only before what is surely the kernel's: a shell's prompt may look like anything.
  static const RE2 prompt(
      R"(^(?:[^\n]{0,80}? ?login: |\S{0,64} ?[#$%] )((?:panic: |Fatal (?:trap \d|double fault)|KDB: ).*))");
  ConsoleRecord record;
  StringPiece rest = piece(raw);
  for (int i = 0; i < 3 && RE2::Consume(&rest, prefix); ++i) record.stamped = true;
  StringPiece message;
  if (!record.stamped && RE2::PartialMatch(rest.substr(0, 512), prompt, &message))
    rest.remove_prefix(static_cast<std::size_t>(message.data() - rest.data()));
  record.text = {rest.data(), rest.size()};
  out.push_back(record);
}

}  // namespace kdev::guest
