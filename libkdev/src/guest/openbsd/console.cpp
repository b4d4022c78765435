// OpenBSD is no guest of kdev's: its consoles can be read all the same.
#include <re2/re2.h>

#include <algorithm>

#include "guest/console_text.hpp"
#include "guest/ddb_report.hpp"
#include "guest/format_table.hpp"
#include "guest/openbsd/console_formats.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  s = s.substr(0, 4096);  // a line longer than that says nothing more
  return {s.data(), s.size()};
}

// db_stack_trace_print() in ddb, panic() in kern/subr_prf.c, boot() in the machines' machdep.c.
const DdbWords ddb{
    .known =
        R"re(^(?:panic: |kernel: |uvm_fault\(|witness: | 1st | 2nd | 3rd |lock order |\s+TID\s+PID|[* ]\s*\d+\s+\d+\s+\d+\s+(?:0x)?[0-9a-f]+\s|end of kernel|Starting stack trace|the kernel did not panic|(?:exclusive|shared) \S+ \S+ r = |ds\s|r[a-z0-9]{1,2}\s{2,}))re",
    .end = R"(^(?:end trace frame: |End of stack trace|https://www\.openbsd\.org/ddb\.html))",
    .reboot =
        R"(^(?:OpenBSD \d+\.\d|>> OpenBSD/\S+ BOOT|rebooting\.\.\.|SeaBIOS|syncing disks\.\.\.|probing: pc0))",
};

class OpenbsdConsoleRules final : public ConsoleRules {
 public:
  OpenbsdConsoleRules() : table_({openbsd_console_formats()}), functions_(openbsd_function_rules()) {}

  std::string_view marks() const override {
    return R"(^Stopped at\s|^ddb(?:\{\d+\})?> |OpenBSD|openbsd\.org|^end trace frame: |^uvm_fault\(0x|^witness: |^kernel: [a-z ]+ trap, code=|\) at \w+\+0x[0-9a-f]+(?:$| )|^panic: |^splassert: |kernel (?:diagnostic|debugging) assertion)";
  }

  bool begins_report(std::string_view line) const override {
    return any_record(line, [this](const ConsoleRecord& r) {
      const int format = format_of(r);
      return format >= 0 && formats()[format].begins();
    });
  }
  bool ends_report(std::string_view line) const override {
    static const RE2 end(ddb.end);
    return any_record(line, [](const ConsoleRecord& r) { return RE2::PartialMatch(piece(r.text), end); });
  }
  bool is_fatal(std::string_view line) const override {
    static const RE2 fatal(
        R"(^(?:panic: |kernel: [a-z ]+ trap, code=|Stopped at\s|ddb(?:\{\d+\})?> |rebooting\.\.\.))");
    return any_record(line, [](const ConsoleRecord& r) { return RE2::PartialMatch(piece(r.text), fatal); });
  }
  void split(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) const override {
    raw = plain_line(raw, scratch);
    static const RE2 prefix(
        R"(^(?:<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,64} /bsd: |(?:\S{0,64} ?)?login: ))");
    ConsoleRecord record;
    StringPiece rest(raw.data(), raw.size());
    record.stamped = RE2::Consume(&rest, prefix);
    record.text = {rest.data(), rest.size()};
    out.push_back(record);
  }
  const std::vector<CrashFormat>& formats() const override { return table_.formats(); }
  const FunctionRules& functions() const override { return functions_; }
  int format_of(const ConsoleRecord& record) const override {
    const int first = table_.first(record.text);
    return first < 0 || formats()[first].role == CrashFormat::Role::ignore ? -1 : first;
  }
  bool is_preamble(std::string_view text) const override {
    static const RE2 preamble(R"(^(?:uvm_fault\(|witness: |cleaned vnode: |splassert: ))");
    return RE2::PartialMatch(piece(text), preamble);
  }
  std::unique_ptr<ReportReader> reader() const override { return ddb_report_reader(ddb); }

 private:
  template <class Predicate>
  bool any_record(std::string_view line, Predicate predicate) const {
    thread_local std::vector<ConsoleRecord> records;
    thread_local std::string scratch;
    records.clear();
    scratch.clear();
    split(line, records, scratch);
    return std::any_of(records.begin(), records.end(), predicate);
  }

  FormatTable table_;
  FunctionRules functions_;
};

}  // namespace

const ConsoleRules& openbsd_console_rules() {
  // Never destroyed: threads may still scan at exit.
  static const OpenbsdConsoleRules* rules = new OpenbsdConsoleRules;
  return *rules;
}

}  // namespace kdev::guest
