#pragma once
#include <cstdint>
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

namespace vm {
class DebuggerAtPrompt;
}

/// How a running kernel gets into its own debugger.
enum class DebuggerEntry {
  automatic,  ///< the guest's usual way
  sysctl,     ///< FreeBSD: debug.kdb.enter
  sysrq,      ///< Linux: sysrq-g, by a break on the console, or /proc/sysrq-trigger
  nmi,        ///< FreeBSD. Linux panics at one that nobody knows, and enters for that
  panic       ///< for good
};

/// Of an in-kernel debugger.
struct KernelDebuggerOptions {
  DebuggerEntry enter = DebuggerEntry::automatic;  ///< of a crashed guest nothing: it waits at its prompt
  Seconds timeout{30};                             ///< to its prompt, and for each answer
  std::stop_token stop{};
};

/// A task in a debugger's "ps".
struct DebuggerTask {
  int pid = 0;
  int tid = 0;     ///< of the thread, where threads have numbers of another kind (FreeBSD); 0: not said
  int parent = 0;  ///< 0: none
  int cpu = -1;    ///< that it runs on, or ran on last; -1: not said
  bool running = false;
  std::string state{};        ///< "S", "R", "Run", "CPU 1", ...
  std::string wait{};         ///< what it waits for, as the kernel names it
  std::uint64_t address = 0;  ///< of its structure (task_struct); 0: not said
  std::string command{};      ///< of a kernel's own: in brackets where the debugger prints them
  bool operator==(const DebuggerTask&) const = default;
};

/// The debugger in a guest's kernel (ddb, kdb), at its prompt: the kernel stands still. Move-only; one thread
/// at a time; must not outlive its VM. No run() or spawn() of the VM comes to an end meanwhile.
class KDEV_API KernelDebugger {
 public:
  explicit KernelDebugger(std::unique_ptr<vm::DebuggerAtPrompt> at);
  KernelDebugger(KernelDebugger&&) noexcept;
  KernelDebugger& operator=(KernelDebugger&&) noexcept;
  ~KernelDebugger();  ///< close()

  /// One command; all pages of its answer. Incomplete when the prompt does not come back in time.
  /// ConfigError: it is no command line; GuestError: there is no prompt any more, or it is closed.
  DebuggerAnswer run(const std::string& command, std::optional<Seconds> timeout = {},
                     std::stop_token stop = {});
  /// The frames of a task's stack, symbolized; 0: of the one that runs where the kernel was entered. The
  /// debugger's own come first. GuestError: it knows of no such task.
  std::vector<StackFrame> backtrace(int task = 0);
  std::vector<DebuggerTask> tasks();
  const std::string& name() const;  ///< "ddb", "kdb"
  /// The backend that the next stop goes to: this debugger, or its kernel's gdb stub.
  std::string backend() const;
  /// Takes effect when the kernel has gone on. GuestError: there is no such backend.
  void select_backend(const std::string& backend);
  /// The kernel is not to go on: it has panicked, or was at the prompt before.
  bool crashed() const;

  /// Lets the kernel go on; a crashed one stays at its prompt. Idempotent, bounded, never throws.
  void close() noexcept;

 private:
  std::unique_ptr<vm::DebuggerAtPrompt> at_;
};

}  // namespace kdev
