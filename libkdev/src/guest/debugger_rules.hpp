#pragma once
// The debugger in a guest's kernel (ddb, kdb), as it is met on the console: what its prompt looks like, and
// the words for what kdev wants of it. Stateless and thread-safe.
#include <kdev/kernel_debugger.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

class DebuggerRules {
 public:
  virtual ~DebuggerRules() = default;
  virtual std::string name() const = 0;
  /// The console's last line, without a line end, is its prompt: it waits for a command.
  virtual bool at_prompt(std::string_view line) const = 0;
  /// ... its pager, which waits for a key.
  virtual bool at_pager(std::string_view line) const = 0;
  virtual std::string next_page() const = 0;  ///< what to type then
  virtual std::string leave_pager() const = 0;
  /// What ends a line that is typed.
  virtual std::string line_end() const { return "\n"; }
  /// The line is its prompt with something behind it that nobody ended: the keys that take it back. Empty: it
  /// is no such line.
  virtual std::string take_back(std::string_view) const { return {}; }
  /// Typed where no prompt shows up: makes the kernel's gdb stub give the word back to it. Empty: nothing
  /// does so where lines are typed.
  virtual std::string summon() const { return {}; }
  /// Lines are typed at the second serial port where the machine has one. What it says is on the console in any
  /// case.
  virtual bool listens_at_debug_port() const { return false; }
  /// Commands after which answers come whole.
  virtual std::vector<std::string> prepare() const = 0;
  /// Characters that one command can have.
  virtual std::size_t longest_command() const = 0;
  /// Commands that write a kernel dump; the last one returns when it is written. None: it cannot.
  virtual std::vector<std::string> dump(bool text) const = 0;
  /// The line says how a dump ended: "Dump complete". Nothing: it says something else.
  virtual std::optional<std::string> dump_ended(std::string_view line) const = 0;
  virtual bool dump_succeeded(std::string_view ended) const = 0;

  /// What shows a task's stack; 0: of the one that runs where it was entered.
  virtual std::string backtrace(int task) const = 0;
  virtual std::string tasks() const = 0;  ///< what lists all tasks
  virtual std::vector<DebuggerTask> read_tasks(std::string_view answer) const = 0;

  // Where the kernel has several: programs to run in the guest.
  struct Backends {
    std::vector<std::string> available;
    std::string current;
  };
  virtual std::vector<std::string> list_backends() const = 0;
  virtual Backends read_backends(std::string_view output) const = 0;
  /// Empty: no program does it, but the debugger itself.
  virtual std::vector<std::string> select_backend(const std::string& name) const = 0;
  /// The line says which backend a stop has gone to. Empty: it does not.
  virtual std::string backend_of(std::string_view) const { return {}; }
  /// Enters the debugger at once; ends when the kernel runs again. Empty: there is no such way. Not for nmi.
  virtual std::vector<std::string> enter(DebuggerEntry by) const = 0;
  /// Typed after a break on the console, it enters the debugger. Empty: a break is nothing to this kernel.
  virtual std::string break_key() const { return {}; }
  /// Lets the debugger have the console, where it has no port yet, or takes it away again. Empty: it always has it.
  virtual std::vector<std::string> give_console(bool /*give*/) const { return {}; }
  /// Nothing: the kernel's debugger takes no such script, and `why` says why.
  virtual std::optional<std::vector<std::string>> set_script(const std::string& reason,
                                                             const std::vector<std::string>& commands,
                                                             std::string& why) const = 0;
  /// The backend that speaks gdb's remote protocol, and the command that hands over to it at the prompt.
  virtual std::string stub() const = 0;
  /// What makes the stub give the word back to the debugger's prompt, at its own port, where summon() does not.
  virtual std::string recall() const { return {}; }
  /// The command after which the kernel goes on.
  virtual std::string resume() const = 0;
  /// The line says that the kernel has stopped for its current backend, or that the stub is it now.
  virtual bool stopped_for_backend(std::string_view line) const = 0;
};

}  // namespace kdev::guest
