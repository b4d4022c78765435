#include <re2/re2.h>

#include <algorithm>

#include "guest/format_table.hpp"
#include "guest/freebsd/console_facts.hpp"
#include "guest/freebsd/console_formats.hpp"
#include "guest/freebsd/console_line.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/lasting.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view s) {
  s = s.substr(0, 4096);  // a line longer than that says nothing more
  return {s.data(), s.size()};
}

class FreebsdConsoleRules final : public ConsoleRules {
 public:
  FreebsdConsoleRules()
      : table_({freebsd_ignored_formats(), freebsd_sanitizer_formats(), freebsd_oops_formats(),
                freebsd_locking_formats(), freebsd_panic_formats()}),
        functions_(freebsd_function_rules()) {}

  std::string_view marks() const override {
    return R"(^cpuid = \d|^KDB: |^Fatal trap \d+: |^#\d+ 0x[0-9a-f]+ at \w+\+0x|\) at \w+\+0x[0-9a-f]+/frame 0x|FreeBSD|^time = \d{5}|^panic: )";
  }

  bool begins_report(std::string_view line) const override {
    return any_record(line, [this](const ConsoleRecord& r) {
      const int format = format_of(r);
      return format >= 0 && formats()[format].begins();
    });
  }

  bool ends_report(std::string_view line) const override {
    // A stack's bottom, in both forms.
    static const RE2 end(
        R"(^(?:--- (?:syscall|system call|trap 0, rip = 0,)|#\d+ 0x[0-9a-f]+ at (?:X?fast_syscall\w*|fork_trampoline)\+))");
    return any_record(line, [](const ConsoleRecord& r) { return RE2::PartialMatch(piece(r.text), end); });
  }

  bool is_fatal(std::string_view line) const override {
    // Nothing goes on while the debugger waits for somebody: its prompt has no newline, what it says before
    // has. Without a debugger a panic dumps and reboots.
    static const RE2 fatal(
        R"(^(?:panic: |Fatal (?:trap \d|double fault|data abort)|KDB: enter: |(?:Stopped|Breakpoint|Watchpoint) at\s|db> |NMI(?:/cpu\d+)? \.\.\. going to debugger|Automatic reboot in \d))");
    return any_record(line, [this](const ConsoleRecord& r) {
      return RE2::PartialMatch(piece(r.text), fatal) && !ignored(r);
    });
  }

  bool enters_debugger(std::string_view line) const override {
    static const RE2 enters(
        R"(^(?:KDB: enter: |NMI (?:ISA|port) |NMI(?:/cpu\d+)? \.\.\. going to debugger|(?:Stopped|Breakpoint|Watchpoint) at\s))");
    return any_record(line, [](const ConsoleRecord& r) { return RE2::PartialMatch(piece(r.text), enters); });
  }

  const BootPrompt* boot_prompt(std::string_view line) const override { return freebsd_boot_prompt(line); }

  void split(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) const override {
    split_freebsd_line(raw, out, scratch);
  }
  const std::vector<CrashFormat>& formats() const override { return table_.formats(); }
  const FunctionRules& functions() const override { return functions_; }

  int format_of(const ConsoleRecord& record) const override {
    const int first = table_.first(record.text);
    return first < 0 || formats()[first].role == CrashFormat::Role::ignore ? -1 : first;
  }

  bool is_preamble(std::string_view text) const override {
    static const RE2 preamble(
        R"(^(?:NMI (?:ISA|port) |(?:shared|exclusive|forbidden) (?:un)?lock of \(|while (?:exclusively|share) locked from |VNASSERT failed|spin lock .{1,100} held by |REDZONE: ))");
    return RE2::PartialMatch(piece(text), preamble);
  }
  std::unique_ptr<ReportReader> reader() const override { return freebsd_report_reader(); }
  const FaultRules& faults() const override { return freebsd_fault_rules(); }

 private:
  bool ignored(const ConsoleRecord& record) const {
    const int first = table_.first(record.text);
    return first >= 0 && formats()[first].role == CrashFormat::Role::ignore && formats()[first].kind.empty();
  }

  template <class Predicate>
  static bool any_record(std::string_view line, Predicate predicate) {
    thread_local std::vector<ConsoleRecord> records;
    thread_local std::string scratch;
    records.clear();
    scratch.clear();
    split_freebsd_line(line, records, scratch);
    return std::any_of(records.begin(), records.end(), predicate);
  }

  FormatTable table_;
  FunctionRules functions_;
};

}  // namespace

const ConsoleRules& freebsd_console_rules() {
  return lasting<FreebsdConsoleRules>();
}

}  // namespace kdev::guest
