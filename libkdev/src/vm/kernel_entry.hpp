#pragma once
// Into the debugger in a guest's kernel, from its prompt to its gdb stub and back, and out of it.
#include <kdev/deadline.hpp>
#include <kdev/kernel_debugger.hpp>
#include <memory>
#include <optional>
#include <thread>

#include "guest/debugger_rules.hpp"
#include "vm/state.hpp"

namespace kdev::vm {

// For what a guest that runs does in a fraction of a second.
inline constexpr Seconds short_call{10};

/// GuestError when kdev knows of no debugger in such a kernel.
const guest::DebuggerRules& debugger_of(const VmSpec& spec, const std::string& attempted);

/// One thread at a time.
class KernelEntry {
 public:
  KernelEntry(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
              const guest::DebuggerRules& rules);

  CommandResult run(const std::vector<std::string>& argv, const std::stop_token& stop);
  guest::DebuggerRules::Backends backends(const std::stop_token& stop) {
    return rules_.read_backends(run(rules_.list_backends(), stop).out);
  }
  /// From a running kernel. ConfigError: this guest knows of no such way; TimeoutError.
  void enter(DebuggerEntry by, const Deadline& deadline);
  /// From the prompt, or the stub: gdb may connect.
  void to_stub(const Deadline& deadline);
  /// The kernel was told to stop for it.
  void await_prompt(const Deadline& deadline) { talk({}, deadline); }
  /// From the stub, with nobody at its port.
  void to_prompt(const Deadline& deadline);
  /// From the prompt: the kernel goes on.
  void leave(const Deadline& deadline);
  /// From the stub, with nobody at its port: as a gdb would that leaves.
  void detach_stub();
  /// What entered it has ended, or is not waited for.
  void forget() { entering_.reset(); }

 private:
  bool break_in(const Deadline& deadline);
  void talk(std::vector<DebuggerLine> lines, const Deadline& deadline);
  void await_stop(std::size_t before, const Deadline& deadline);

  std::shared_ptr<VM::State> state_;
  std::shared_ptr<Session> session_;
  const guest::DebuggerRules& rules_;
  std::optional<Job> entering_;
  std::jthread wakes_;
};

}  // namespace kdev::vm
