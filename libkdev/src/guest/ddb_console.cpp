#include "guest/ddb_console.hpp"

#include "guest/console_text.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  s = s.substr(0, 4096);  // a line longer than that says nothing more
  return {s.data(), s.size()};
}

RE2 compiled(std::string_view pattern) {
  return RE2(StringPiece(pattern.data(), pattern.size()));
}

}  // namespace

DdbConsoleRules::DdbConsoleRules(const DdbConsole& console, std::vector<CrashFormat> formats,
                                 FunctionRules functions)
    : console_(console),
      end_(compiled(console.report.end)),
      fatal_(compiled(console.fatal)),
      prefix_(compiled(console.prefix)),
      preamble_(compiled(console.preamble)),
      table_({std::move(formats)}),
      functions_(std::move(functions)) {}

ConsoleRecord DdbConsoleRules::record_of(std::string_view raw, std::string& scratch) const {
  raw = plain_line(raw, scratch);
  ConsoleRecord record;
  StringPiece rest(raw.data(), raw.size());
  record.stamped = RE2::Consume(&rest, prefix_);
  record.text = {rest.data(), rest.size()};
  return record;
}

void DdbConsoleRules::split(std::string_view raw, std::vector<ConsoleRecord>& out,
                            std::string& scratch) const {
  out.push_back(record_of(raw, scratch));
}

bool DdbConsoleRules::begins_report(std::string_view line) const {
  std::string scratch;
  const int format = format_of(record_of(line, scratch));
  return format >= 0 && formats()[format].begins();
}

bool DdbConsoleRules::ends_report(std::string_view line) const {
  std::string scratch;
  return RE2::PartialMatch(piece(record_of(line, scratch).text), end_);
}

bool DdbConsoleRules::is_fatal(std::string_view line) const {
  std::string scratch;
  return RE2::PartialMatch(piece(record_of(line, scratch).text), fatal_);
}

int DdbConsoleRules::format_of(const ConsoleRecord& record) const {
  const int first = table_.first(record.text);
  return first < 0 || formats()[first].role == CrashFormat::Role::ignore ? -1 : first;
}

bool DdbConsoleRules::is_preamble(std::string_view text) const {
  return RE2::PartialMatch(piece(text), preamble_);
}

}  // namespace kdev::guest
