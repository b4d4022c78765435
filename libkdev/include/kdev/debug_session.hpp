#pragma once
#include <cstdint>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/variable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

namespace debug {
struct Target;
}

/// One frame of a live backtrace; inline functions are frames of their own.
struct DebugFrame {
  int level = 0;
  std::string function{};  ///< empty: no symbol
  std::uint64_t address = 0;
  std::string file{};    ///< relative to the tree where it lies below it; empty: unknown
  int line = 0;          ///< 1-based; 0: unknown
  std::string source{};  ///< that line's text, without indentation
  std::vector<Variable> args{};
  bool operator==(const DebugFrame&) const = default;
};

/// Why the kernel stopped, and where.
struct DebugStop {
  std::string reason{};  ///< gdb's: "breakpoint-hit", "signal-received", "end-stepping-range", ...
  std::string signal{};  ///< "SIGTRAP", ...; empty: none
  int breakpoint = 0;    ///< its number; 0: none
  std::string thread{};  ///< as the stub names it: "Thread 100042"
  DebugFrame frame{};
  bool operator==(const DebugStop&) const = default;
};

struct DebugBreakpoint {
  int number = 0;
  std::uint64_t address = 0;  ///< of the first, when it has several
  std::string function{};
  std::string file{};
  int line = 0;
  bool operator==(const DebugBreakpoint&) const = default;
};

struct DebugThread {
  int number = 0;      ///< gdb's
  std::string id{};    ///< "Thread 100042"
  std::string name{};  ///< "idle: cpu0 (Running)"
  DebugFrame frame{};
  bool operator==(const DebugThread&) const = default;
};

/// A kernel under gdb. Move-only; one thread at a time; must not outlive its VM. The kernel is stopped, or it
/// runs: what needs it stopped stops it for as long as that takes. Calls are bounded (30 s where no time is
/// given). DebugError with gdb's own words when it refuses.
class KDEV_API DebugSession {
 public:
  explicit DebugSession(std::unique_ptr<debug::Target> target, const Deadline& deadline);
  DebugSession(DebugSession&&) noexcept;
  DebugSession& operator=(DebugSession&&) noexcept;
  ~DebugSession();  ///< close()

  /// "kern_openat", "vfs_syscalls.c:1111", "*0xffffffff80533240". `condition`: an expression in C.
  DebugBreakpoint break_at(const std::string& location, const std::string& condition = {}, bool once = false);
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
  /// The last stop; nothing while it runs.
  std::optional<DebugStop> stopped() const;

  /// Innermost first. `thread`: gdb's number; 0: the one that stopped.
  std::vector<DebugFrame> backtrace(int limit = 64, int thread = 0);
  /// The value of an aggregate is empty: evaluate() prints it.
  std::vector<Variable> locals(int frame = 0);
  std::vector<DebugThread> threads();
  /// A C expression's value, as gdb prints it. `frame`: whose variables it sees.
  std::string evaluate(const std::string& expression, int frame = 0);
  std::string memory(std::uint64_t address, std::size_t size);
  std::map<std::string, std::uint64_t> registers();
  /// `lines` of source around a location of break_at().
  std::string source(const std::string& location, int lines = 10);
  /// Symbols of the modules that were loaded since the last call; those that were there from the start are
  /// known. Their names.
  std::vector<std::string> load_modules();
  /// One command of gdb's own command line; what it says. An escape.
  std::string execute(const std::string& command);
  int pid() const;  ///< gdb's; -1: closed

  /// Takes all breakpoints out, lets the kernel run (a crashed one goes back to the debugger it was in), ends
  /// gdb. Idempotent, bounded, never throws.
  void close() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kdev
