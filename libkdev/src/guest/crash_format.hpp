#pragma once
// The table that says what crash reports of a guest look like. One CrashFormat per kind of first line; the
// engine in crash/ interprets it. To teach kdev a new report: add a row to the guest's console_formats_*.cpp,
// nothing else.
#include <string_view>
#include <vector>

namespace kdev::guest {

/// One way to name a report. All regular expressions are RE2, multi-line ("^" and "$" match at lines, "." no
/// newline), and see lines without their prefixes (timestamp, caller, level, colours, '\r').
struct TitleRule {
  /// Searched in a few lines before the report, and the report. Empty: always applies. The first rule that
  /// applies wins.
  std::string_view pattern = {};
  /// {1}..{9}: captured text, numbers and addresses in it normalised (NUM, ADDR); {function}: the guilty
  /// function.
  std::string_view title = {};
  /// Class as syzbot names it: "KASAN-READ", "HANG", ...; captures may be used: {1:upper}.
  std::string_view type = {};
  /// Templates like `title`.
  std::vector<std::string_view> alternatives = {};
  /// Where {function} is looked for, in order; the first that is not a helper (see FunctionRules) wins:
  // clang-format off
  ///   "1".."9"       the captured text
  ///   "pc"           the kernel's program counter
  ///   "trace"        the frames of the first trace
  ///   "traces"       the frames of all traces
  ///   "trace:REGEX"  ... of the first trace whose name matches
  ///   "entry"        the frames, but the one that the kernel's dispatching code called: stable where leaves vary
  ///   "any"          the same with the entries marked '?'
  ///   "stalled"      like "entry", of the first trace of a task that runs, below the interrupt that found it
  ///   "leaf"         that trace's frames
  ///   "recursion"    the function that calls itself in the first trace
  ///   "pc:raw", "1:raw" ... taken even if it is a helper
  // clang-format on
  std::vector<std::string_view> function = {};
  /// Where the report's function is looked for, when it is another than the title's (a stall's title names
  /// its stable entry, its function is the one that ran). Empty: {function}.
  std::vector<std::string_view> blame = {};
  /// Functions that are helpers for this rule, too. RE2, whole name.
  std::string_view skip = {};
  /// {origin}: a second function, looked for likewise.
  std::vector<std::string_view> origin = {};
  /// A report that only this rule fits is known to have lost text.
  bool corrupted = false;
  /// Applies only to a report without any stack.
  bool traceless = false;
  /// Known, and not worth a look: noise of the test itself.
  bool suppressed = false;
};

struct CrashFormat {
  enum class Role {
    start,    ///< begins a report
    generic,  ///< begins one, but only on a line that the kernel itself surely printed (it has a timestamp)
    follow,  ///< goes on with an open report (Oops after BUG, panic after anything); begins one when there is
             ///< none
    ignore,  ///< looks like a beginning and is none
    program,  ///< what a program says of its own end: reported from logs, nothing to stop a running guest for
    // How a boot that nothing explains is known:
    farewell,  ///< the machine goes down, as somebody wanted or the kernel said
    firmware,  ///< the first line that a machine prints
    boot,      ///< the kernel's first lines; a report when a kernel ran before, and the machine did not say
               ///< farewell
  };
  /// The kernel's own words for something wrong.
  bool begins() const { return role == Role::start || role == Role::generic || role == Role::follow; }

  std::string_view kind = {};
  std::string_view start;  ///< RE2, anchored at the line's beginning
  Role role = Role::start;
  bool needs_trace = false;  ///< such a report always has one: without, it is cut off
  bool survives = false;     ///< the kernel goes on after it: a panic that follows is another story
  bool all_callers = false;  ///< other CPUs' messages belong to it (backtraces by NMI)
  std::vector<TitleRule> titles = {};
};

/// How functions become part of a title. All RE2; lists of whole-name alternatives.
struct FunctionRules {
  /// Helpers that are never guilty: panic and report machinery, allocators, locks, memory primitives.
  std::vector<std::string_view> helpers;
  /// Code that calls the subject of a long-running job (syscall entry, softirq, workqueue): for "entry".
  std::vector<std::string_view> dispatchers;
  /// Who notices a stall, from an interrupt: for "stalled" and "leaf", frames up to the interrupt's entry are
  /// dropped.
  std::vector<std::string_view> watchers, interrupts;
  /// A timer's interrupt: for "stalled", all up to its entry is dropped.
  std::vector<std::string_view> timers;
  /// Functions that wait for other CPUs: a stall in one is theirs, whoever called.
  std::vector<std::string_view> waiters;
  /// Stacks of tasks that do not run, or of the reporter itself: not what stalls. Looked for among the first
  /// frames.
  std::vector<std::string_view> idle;
  /// Functions whose presence says that the trace is mixed with another CPU's.
  std::vector<std::string_view> mixed;
  /// Variants of one name: `pattern` (whole name) is rewritten; the name as printed goes into an alternative
  /// title.
  struct Rename {
    std::string_view pattern, to;  ///< \1 ... in `to`
    bool keep_alternative;
  };
  std::vector<Rename> renames;
};

}  // namespace kdev::guest
