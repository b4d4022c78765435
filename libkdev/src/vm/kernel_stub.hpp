#pragma once
// The gdb stub in a guest's kernel, over its second serial port.
#include <kdev/deadline.hpp>
#include <memory>
#include <optional>

#include "guest/debugger_rules.hpp"
#include "vm/state.hpp"

namespace kdev::vm {

// For what a guest that runs does in a fraction of a second.
inline constexpr Seconds short_call{10};

/// GuestError when kdev knows of no debugger in such a kernel.
const guest::DebuggerRules& debugger_of(const VmSpec& spec, const std::string& attempted);

/// What a debug session over it changes in a VM, and changes back. Its target's functions share it.
class KernelStub {
 public:
  KernelStub(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
             const guest::DebuggerRules& rules);
  ~KernelStub() { close(); }

  bool crashed() const { return session_->status().panicked || was_prompt_; }
  /// From a running kernel.
  void enter(const Deadline& deadline);
  /// From the debugger's prompt.
  void hand_over(const Deadline& deadline);
  void interrupt(const Deadline& deadline) { session_->machine().nmi(deadline); }
  /// The stub waits, gdb is gone: Ctrl-C is what makes it give the word back to the debugger at the console.
  void back_to_prompt();
  void close() noexcept;

 private:
  CommandResult run(const std::vector<std::string>& argv, const std::stop_token& stop);
  void talk(std::vector<DebuggerLine> lines, const Deadline& deadline);
  void await_stop(std::size_t before, const Deadline& deadline);

  std::shared_ptr<VM::State> state_;
  std::shared_ptr<Session> session_;
  const guest::DebuggerRules& rules_;
  std::string previous_;  // the backend before
  std::optional<Job> entering_;
  bool was_paused_ = false, was_prompt_ = false, closed_ = false;
};

}  // namespace kdev::vm
