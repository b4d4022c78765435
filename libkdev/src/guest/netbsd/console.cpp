// NetBSD is no guest of kdev's: its consoles can be read all the same.
#include <re2/re2.h>

#include <algorithm>

#include "guest/console_text.hpp"
#include "guest/ddb_report.hpp"
#include "guest/format_table.hpp"
#include "guest/netbsd/console_formats.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  s = s.substr(0, 4096);  // a line longer than that says nothing more
  return {s.data(), s.size()};
}

// db_stack_trace_print() in ddb, vpanic() in kern/subr_prf.c, cpu_reboot() in the machines' machdep.c.
const DdbWords ddb{
    .known =
        R"re(^(?:panic: |fatal |trap type |curlwp |kernel: |Stopped in pid |--- (?:syscall|trap|interrupt)|cpu\d+: |[a-z]{2,3}\d{0,2} {2,}|dumping to dev|dump ))re",
    .end = R"(^(?:cpu\d+: End traceback|--- syscall))",
    .reboot = R"(^(?:NetBSD \d+\.\d|>> NetBSD/\S+ |rebooting\.\.\.|Copyright \(c\) 1996, 1997|SeaBIOS))",
};

class NetbsdConsoleRules final : public ConsoleRules {
 public:
  NetbsdConsoleRules() : table_({netbsd_console_formats()}), functions_(netbsd_function_rules()) {}

  std::string_view marks() const override {
    return R"(\) at netbsd:|: Begin traceback\.\.\.|NetBSD|^(?:\[ *\d+\.\d+\] )?fatal [a-z ]+ in supervisor mode|^Stopped in pid|^\[ {0,4}\d+\.\d{7}\] |^panic: |UBSan: Undefined Behavior in /)";
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
        R"(^(?:panic: |fatal [a-z ]+ in supervisor mode|Stopped (?:in pid|at)|db(?:\{\d+\})?> |rebooting\.\.\.))");
    return any_record(line, [](const ConsoleRecord& r) { return RE2::PartialMatch(piece(r.text), fatal); });
  }
  void split(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) const override {
    raw = plain_line(raw, scratch);
    static const RE2 prefix(
        R"(^(?:<\d{1,3}>|\[ {0,7}\d{1,10}\.\d{6,7}\] |[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,64} /netbsd: (?:\[ *\d+\.\d+\] )?|(?:\S{0,64} ?)?login: ))");
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
    static const RE2 preamble(R"(^(?:uvm_fault\(|Mutex error: |Reader / writer lock error: ))");
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

const ConsoleRules& netbsd_console_rules() {
  // Never destroyed: threads may still scan at exit.
  static const NetbsdConsoleRules* rules = new NetbsdConsoleRules;
  return *rules;
}

}  // namespace kdev::guest
