#include "guest/freebsd/console_line.hpp"

#include <re2/re2.h>

#include "guest/console_text.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  return {s.data(), s.size()};
}

}  // namespace

void split_freebsd_line(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) {
  raw = plain_line(raw, scratch);
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
