#include <re2/re2.h>

#include <algorithm>

#include "guest/format_table.hpp"
#include "guest/lasting.hpp"
#include "guest/linux/console_facts.hpp"
#include "guest/linux/console_formats.hpp"
#include "guest/linux/console_line.hpp"
#include "guest/linux/linux.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  s = s.substr(0, 4096);  // a line longer than that says nothing more
  return {s.data(), s.size()};
}

/// It waits there for somebody, whom only a debug session knows of.
bool enters_kdb(std::string_view text) {
  return text.starts_with("Entering kdb (current=") || text == "waiting... or $3#33 for KDB";
}

class LinuxConsoleRules final : public ConsoleRules {
 public:
  LinuxConsoleRules()
      : table_({linux_ignored_formats(), linux_sanitizer_formats(), linux_oops_formats(),
                linux_warning_formats(), linux_locking_formats(), linux_hang_formats(),
                linux_system_formats(), linux_panic_formats()}),
        functions_(linux_function_rules()) {}

  std::string_view marks() const override {
    return R"(^\[ {0,4}\d+\.\d{6}\]|Linux version \d|Kernel panic - not syncing|^(?:\[.{0,40}\] )?CPU: \d+ (?:UID: \d+ )?PID: |Call [Tt]race:|\+0x[0-9a-f]+/0x[0-9a-f]+|^BUG: |^WARNING: CPU: )";
  }

  bool begins_report(std::string_view line) const override {
    return any_record(line, [this](const ConsoleRecord& r) {
      const int format = format_of(r);
      return format >= 0 && formats()[format].begins();
    });
  }

  bool ends_report(std::string_view line) const override {
    static const RE2 end(R"(^(?:---\[ end (?:trace|Kernel panic)|={20,}\s*$|Rebooting in ))");
    return any_record(line, [](const ConsoleRecord& r) { return RE2::PartialMatch(piece(r.text), end); });
  }

  bool is_fatal(std::string_view line) const override {
    return any_record(line, [](const ConsoleRecord& r) {
      return r.text.starts_with("Kernel panic - not syncing") ||
             r.text.starts_with("---[ end Kernel panic") || r.text.starts_with("Rebooting in ") ||
             enters_kdb(r.text);
    });
  }
  bool enters_debugger(std::string_view line) const override {
    return any_record(line, [](const ConsoleRecord& r) { return enters_kdb(r.text); });
  }

  void split(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) const override {
    split_linux_line(raw, out, scratch);
  }
  const std::vector<CrashFormat>& formats() const override { return table_.formats(); }
  const FunctionRules& functions() const override { return functions_; }

  int format_of(const ConsoleRecord& record) const override {
    const int first = table_.first(record.text);
    if (first < 0) return -1;
    const auto role = formats()[first].role;
    if (role == CrashFormat::Role::ignore || (role == CrashFormat::Role::generic && !record.stamped))
      return -1;
    return first;
  }

  bool is_preamble(std::string_view text) const override {
    static const RE2 preamble(
        R"(^(?:-+\[ cut here \]-+|={20,}$|list_\w+ corruption|refcount_t: |ODEBUG: |DEBUG_LOCKS_WARN_ON|usercopy: |kasan: |skbuff: |watchdog: ))");
    return RE2::PartialMatch(piece(text), preamble);
  }
  std::unique_ptr<ReportReader> reader() const override { return linux_report_reader(); }
  const FaultRules& faults() const override { return linux_fault_rules(); }

 private:
  template <class Predicate>
  static bool any_record(std::string_view line, Predicate predicate) {
    thread_local std::vector<ConsoleRecord> records;
    thread_local std::string scratch;
    records.clear();
    scratch.clear();
    split_linux_line(line, records, scratch);
    return std::any_of(records.begin(), records.end(), predicate);
  }

  FormatTable table_;
  FunctionRules functions_;
};

}  // namespace

const ConsoleRules& linux_console_rules() {
  return lasting<LinuxConsoleRules>();
}

}  // namespace kdev::guest
