#pragma once
// What a guest's console looks like when its kernel crashes. Used line by line by vm/ (is something wrong?)
// and as a table by crash/ (what exactly?). Stateless and thread-safe.
#include <kdev/crash.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guest/crash_format.hpp"
#include "guest/fault_rules.hpp"

namespace kdev::guest {

/// One message on the console, its prefixes taken off. A line holds several when CPUs wrote over each other.
/// Views into the line that it was split from.
struct ConsoleRecord {
  std::string_view text;
  std::string_view caller;  ///< "T123", "C0" (PRINTK_CALLER); empty: not printed
  bool stamped = false;     ///< a kernel timestamp was in front
};

/// Collects what the lines of one report state: traces, registers, who, where. Given the lines in order.
class ReportReader {
 public:
  virtual ~ReportReader() = default;
  enum class Seen {
    nothing,  ///< not known as part of any report
    part,     ///< belongs to a report
    end,      ///< the last line of most reports of that kind; little may follow
    stop,     ///< the kernel is gone: nothing belongs to the report any more
    reboot,   ///< the machine goes down or comes up: not in the report any more
  };
  virtual Seen read(std::string_view text) = 0;
  /// Moves the facts out into the report's fields. `traces`: the guilty one first.
  virtual void finish(CrashReport& report) = 0;
  /// A frame has been seen.
  virtual bool framed() const = 0;
  /// The kernel's function at the program counter, null: not seen.
  virtual const StackFrame* pc() const = 0;
};

/// A prompt at which a boot waits for somebody who never comes.
struct BootPrompt {
  std::string_view pattern;  ///< RE2, the whole of the console's last, unfinished line
  std::string_view where;    ///< "in single user mode"
  std::string_view hint;
};

class ConsoleRules {
 public:
  virtual ~ConsoleRules() = default;
  /// The line (raw, may carry a timestamp, caller prefix, colours, '\r') begins a crash report.
  virtual bool begins_report(std::string_view line) const = 0;
  /// The line surely ends one: nothing of it comes after ("---[ end trace", KASAN's closing bar, ...).
  virtual bool ends_report(std::string_view line) const = 0;
  /// After this line the kernel does not go on ("Kernel panic - not syncing", "Rebooting in").
  virtual bool is_fatal(std::string_view line) const = 0;

  /// What only this system's consoles say. RE2, multi-line.
  virtual std::string_view marks() const = 0;

  /// The line says that the kernel enters a debugger. Where somebody debugs it, that is no crash.
  virtual bool enters_debugger(std::string_view) const { return false; }
  /// The prompt that the console's last line, without a line end, is. Null: none that is known.
  virtual const BootPrompt* boot_prompt(std::string_view) const { return nullptr; }

  // For the scanner.
  /// Splits a raw line (without '\n') into records, appended to `out`. `scratch` holds their text where it
  /// had to be changed (colours), and must live as long as they do.
  virtual void split(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) const = 0;
  virtual const std::vector<CrashFormat>& formats() const = 0;
  virtual const FunctionRules& functions() const = 0;
  /// Index of the format that the record begins, by order in formats(); -1: none. `ignore` rows give -1.
  virtual int format_of(const ConsoleRecord& record) const = 0;
  /// The record opens a report that names itself some lines later ("cut here", a bar of '=').
  virtual bool is_preamble(std::string_view text) const = 0;
  virtual std::unique_ptr<ReportReader> reader() const = 0;
  /// Without rules of its own: those that know of no guest.
  virtual const FaultRules& faults() const;
};

}  // namespace kdev::guest
