#pragma once
#include <cstdint>
#include <kdev/core.hpp>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/variable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kdev {

namespace debug {
class Halted;
struct Target;
}  // namespace debug

/// One frame of a backtrace; inline functions are frames of their own.
struct DebugFrame {
  int level = 0;
  std::string function{};  ///< empty: no symbol
  std::uint64_t address = 0;
  std::string file{};    ///< relative to the tree where it lies below it; empty: unknown
  int line = 0;          ///< 1-based; 0: unknown
  std::string source{};  ///< that line's text, without indentation
  /// The source around the line, as it is; empty: not found.
  std::vector<std::string> context{};
  int context_begin = 0;  ///< the number of its first line; 0: there is none
  std::vector<Variable> args{};
  std::vector<Variable> locals{};  ///< where backtrace() was asked for them
  bool inlined = false;            ///< into the next frame's function
  bool operator==(const DebugFrame&) const = default;
};

/// Why the kernel stopped, and where.
struct DebugStop {
  std::string reason{};  ///< gdb's: "breakpoint-hit", "signal-received", "end-stepping-range",
                         ///< "watchpoint-trigger", "function-finished", ...
  std::string signal{};  ///< "SIGTRAP", ...; empty: none
  int breakpoint = 0;    ///< its number, also a watchpoint's; 0: none
  std::string thread{};  ///< as the stub names it: "Thread 100042", "Thread 1.1"
  DebugFrame frame{};
  std::string old_value{}, new_value{};  ///< of a watchpoint's expression
  std::string returned{};                ///< what a function that was finished gave back; empty: nothing
  bool operator==(const DebugStop&) const = default;
};

struct BreakOptions {
  std::string condition{};  ///< an expression in C: stops only where it is not 0
  bool once = false;        ///< goes by itself when it is hit
  bool hardware = false;    ///< a debug register instead of an instruction in the code
  /// A place that nothing has yet is one to be: in a module that is not loaded.
  bool pending = false;
  int thread = 0;     ///< gdb's number of the only one that stops there; 0: any
  unsigned skip = 0;  ///< hits that do not count
};

struct DebugBreakpoint {
  int number = 0;
  std::string kind{};  ///< gdb's: "breakpoint", "hw breakpoint", "hw watchpoint", "acc watchpoint", ...
  std::uint64_t address = 0;  ///< of the first, when it has several
  std::string function{};
  std::string file{};
  int line = 0;
  std::string expression{};  ///< of a watchpoint
  bool pending = false;      ///< nothing has the place yet
  std::uint64_t hits = 0;
  bool operator==(const DebugBreakpoint&) const = default;
};

// What happens under a debugger, as DebugSession::events() gives it.
struct DebugStopped {
  DebugStop stop{};
  bool operator==(const DebugStopped&) const = default;
};
struct DebugResumed {
  std::string how{};  ///< gdb's command: "-exec-continue", "-exec-next", ...
  bool operator==(const DebugResumed&) const = default;
};
/// The kernel loaded or unloaded a module, and its symbols came or went.
struct DebugModule {
  std::string name{};
  bool loaded = true;
  bool operator==(const DebugModule&) const = default;
};
/// A breakpoint was hit, found its place, or went by itself.
struct DebugBreakpointChanged {
  DebugBreakpoint breakpoint{};  ///< of one that went the number alone
  bool gone = false;
  bool operator==(const DebugBreakpointChanged&) const = default;
};
/// What the stub printed without having been asked.
struct DebugOutput {
  std::string text{};
  bool operator==(const DebugOutput&) const = default;
};
/// The machine ended, or its stub went away.
struct DebugTargetLost {
  std::string reason{};
  bool operator==(const DebugTargetLost&) const = default;
};
using DebugEvent = std::variant<DebugStopped, DebugResumed, DebugModule, DebugBreakpointChanged, DebugOutput,
                                DebugTargetLost>;
/// One line for people.
KDEV_API std::string describe(const DebugEvent& event);

/// What a watchpoint stops at.
enum class WatchFor { write, read, access };

/// A processor of a machine's stub; a thread of a kernel's own stub or of a core.
struct DebugThread {
  int number = 0;      ///< gdb's
  std::string id{};    ///< "Thread 100042"
  std::string name{};  ///< "idle: cpu0 (Running)", "CPU#0 [halted ]"
  DebugFrame frame{};
  bool operator==(const DebugThread&) const = default;
};

/// One instruction.
struct DebugInstruction {
  std::uint64_t address = 0;
  std::string function{};
  int offset = 0;       ///< from the function's begin
  std::string bytes{};  ///< hex, without blanks: "4889e5"
  std::string text{};   ///< "mov %rsp,%rbp"
  std::string file{};   ///< relative to the tree; of the line that it belongs to
  int line = 0;
  std::string source{};  ///< that line's text
  bool operator==(const DebugInstruction&) const = default;
};

/// A gdb for people to type at.
struct GdbCommand {
  std::vector<std::string> argv{};  ///< starts it
  Path script{};   ///< the commands of gdb's that it begins with; they can be sourced in another one
  Path symbols{};  ///< the kernel's file
  bool operator==(const GdbCommand&) const = default;
};

/// The last write to an object of a recorded guest.
struct DebugWrite {
  DebugFrame frame{};  ///< of the instruction that wrote
  DebugInstruction instruction{};
  std::vector<DebugFrame> backtrace{};
  int pid = -1;                         ///< of the task that ran; -1: unknown
  std::string task{};                   ///< its name
  std::uint64_t position = 0;           ///< instructions executed before that one
  std::uint64_t address = 0, size = 0;  ///< of the object; size in bytes
  std::string before{}, after{};        ///< its bytes, hex
  std::uint64_t writes = 0;             ///< that there were in all
  /// Its bytes changed again without an instruction that wrote to its address: a device did it, or another
  /// mapping.
  bool changed_since = false;
  bool operator==(const DebugWrite&) const = default;
};

/// Of break_at() and others, a place in the code: "do_sys_openat2", "fs/open.c:1290", "*0xffffffff81234567",
/// "MODULE.c:10".
using Location = std::string;

/// A kernel under gdb: one that runs, or a dump. Move-only; one thread at a time; must not outlive its VM.
/// The kernel is stopped, or it runs: what needs it stopped stops it for as long as that takes. Calls are
/// bounded (30 s where no time is given). DebugError with gdb's own words when it refuses, when it has ended,
/// or when its target is lost; TimeoutError. Modules' symbols come and go as the kernel loads and unloads
/// them, when gdb has Python.
class KDEV_API DebugSession {
 public:
  explicit DebugSession(std::unique_ptr<debug::Target> target, const Deadline& deadline);
  DebugSession(DebugSession&&) noexcept;
  DebugSession& operator=(DebugSession&&) noexcept;
  ~DebugSession();  ///< close()

  /// A dump of any format that Core reads, with its threads (of the kernel, by their tids); nothing in it can
  /// run. ConfigError when symbols.vmlinux is missing; FormatError; what Core::write_elf() throws.
  static DebugSession core(const Path& file, SymbolSources symbols, const Deadline& deadline = {});
  /// The same of one that is open already.
  static DebugSession core(const Core& core, const Deadline& deadline = {});
  /// A stub: "host:port" (a host's name in brackets when it has colons), a serial device ("/dev/ttyUSB0",
  /// with `baud`), or a unix socket's path. `symbols`: the kernel that runs there, and its modules; where
  /// KASLR has put it is found by its build id. DebugError when there is no stub, or another kernel.
  static DebugSession attach(const std::string& stub, SymbolSources symbols, int baud = 115200,
                             const Deadline& deadline = {});

  DebugBreakpoint break_at(const Location& location, const BreakOptions& options = {});
  /// Stops when the value of a C expression is written (changed), or its memory read. The hardware has four
  /// of them.
  DebugBreakpoint watch(const std::string& expression, WatchFor what = WatchFor::write,
                        const std::string& condition = {});
  std::vector<DebugBreakpoint> breakpoints();
  /// By its number.
  void clear(int breakpoint);
  bool running() const;
  /// Lets the kernel run; nothing when it does.
  void resume();
  /// Lets it run unless it has stopped meanwhile, and waits for a stop. TimeoutError: it goes on running.
  DebugStop wait(Seconds timeout, std::stop_token stop = {});
  /// Stops a running kernel, wherever it is; the stop that there is when it does not run.
  DebugStop interrupt();
  DebugStop step();    ///< a source line, into calls
  DebugStop next();    ///< a source line, over calls
  DebugStop finish();  ///< out of the innermost frame
  DebugStop step_instruction(bool over_calls = false);
  /// Runs to there, or to another stop.
  DebugStop run_to(const Location& location, Seconds timeout = Seconds(30));

  // Back in time, in a replay of a Recording: DebugError in every other session. Each is a replay or two from
  // the start, bounded by `timeout`; breakpoints stay. Where the recording begins a stop's reason is
  // "no-history".
  /// To the last breakpoint's or watchpoint's hit before now.
  DebugStop reverse_continue(Seconds timeout = Seconds(300));
  /// To the begin of the line that ran before, also one in a function that was called.
  DebugStop reverse_step(Seconds timeout = Seconds(300));
  /// The same over calls and interrupts.
  DebugStop reverse_next(Seconds timeout = Seconds(300));
  /// To the call that the innermost frame is of.
  DebugStop reverse_finish(Seconds timeout = Seconds(300));
  DebugStop reverse_step_instruction(Seconds timeout = Seconds(300));
  /// Which instruction wrote last, before now, to the object that a C expression names; a number is the
  /// address of eight bytes. The session stands before that instruction afterwards. DebugError: nothing wrote
  /// there.
  DebugWrite last_write(const std::string& expression, Seconds timeout = Seconds(300));
  /// Instructions executed since the recording began.
  std::uint64_t position();
  /// To where so many were.
  DebugStop go_to(std::uint64_t position, Seconds timeout = Seconds(300));

  /// What happened since the last call, in order; of very much the last 4096. Waits until there is something,
  /// no longer than `timeout`. A stop that is among it is also what wait() returns next. Stops that a call
  /// makes for its own sake are none.
  std::vector<DebugEvent> events(Seconds timeout = Seconds(0), std::stop_token stop = {});
  /// The last stop; nothing while it runs.
  std::optional<DebugStop> stopped() const;

  // `thread`: gdb's number; 0: the one that stopped. `frame`: a level of its backtrace.
  /// Innermost first. `variables`: with the local variables of each.
  std::vector<DebugFrame> backtrace(int limit = 64, int thread = 0, bool variables = false);
  /// The value of an aggregate is empty: evaluate() prints it.
  std::vector<Variable> locals(int frame = 0, int thread = 0);
  std::vector<DebugThread> threads();
  /// A C expression's value, as gdb prints it. "x = 5" changes it.
  std::string evaluate(const std::string& expression, int frame = 0, int thread = 0);
  /// "struct task_struct *" of an expression.
  std::string type_of(const std::string& expression, int frame = 0, int thread = 0);
  /// A type's definition with offsets and sizes, as gdb's "ptype /o" prints it.
  std::string describe_type(const std::string& type);
  std::string memory(std::uint64_t address, std::size_t size);
  void write_memory(std::uint64_t address, std::string_view bytes);
  std::map<std::string, std::uint64_t> registers(int thread = 0);
  /// Of the function around a place; "": where the kernel stopped.
  std::vector<DebugInstruction> disassemble(const Location& location = {});
  /// The instructions that begin in a range of addresses.
  std::vector<DebugInstruction> disassemble(std::uint64_t begin, std::uint64_t end);
  /// `lines` of source around a place.
  std::string source(const Location& location, int lines = 10);
  /// Symbols of the modules that were loaded since the last call; those that were there from the start are
  /// known. Their names. DebugError: this gdb has no Python.
  std::vector<std::string> load_modules();
  /// One command of gdb's own command line; what it says. An escape.
  std::string execute(const std::string& command);
  /// A command to the stub itself; what it says. QEMU's monitor behind the machine's ("info registers"), kdb
  /// behind Linux's own ("ps"). DebugError: this stub takes none.
  std::string monitor(const std::string& command);
  /// A command to the debugger in the kernel (ddb, kdb), which takes its turn at the kernel's stub for that
  /// long: gdb lets go of it, and has it back. A kernel that runs is stopped meanwhile. DebugError: the
  /// session is not over the kernel's own stub of a VM; when it fails halfway, the session is closed.
  DebuggerAnswer ask_debugger(const std::string& command);
  /// How far from where it was linked the kernel runs (KASLR).
  std::uint64_t slide() const;
  /// What a user should know: a gdb without Python, a kernel whose identity could not be checked.
  const std::vector<std::string>& notes() const;
  int pid() const;  ///< gdb's; -1: closed

  /// Ends the session's own gdb (breakpoints go, the kernel runs on) and gives its place to another one, to
  /// which all is known that it knew: symbols, modules, unwinders, where the kernel is. What it needs stays
  /// there until close(); no other call is good for anything from now on.
  GdbCommand hand_over();
  /// Takes all breakpoints out, lets the kernel run (a crashed one goes back to the debugger it was in), ends
  /// gdb. Idempotent, bounded, never throws.
  void close() noexcept;

 private:
  struct State;
  friend class debug::Halted;
  std::unique_ptr<State> state_;
};

}  // namespace kdev
