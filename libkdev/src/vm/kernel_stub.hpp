#pragma once
// The gdb stub in a guest's kernel, over its second serial port.
#include "vm/kernel_entry.hpp"

namespace kdev::vm {

/// What a debug session over it changes in a VM, and changes back. Its target's functions share it.
class KernelStub {
 public:
  KernelStub(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
             const guest::DebuggerRules& rules);
  ~KernelStub() { close(); }

  bool crashed() const { return session_->status().panicked || was_prompt_; }
  /// From a running kernel.
  void enter(const Deadline& deadline);
  /// From the debugger's prompt. `stays`: it goes back to it at the end.
  void hand_over(bool stays, const Deadline& deadline);
  void interrupt(const Deadline& deadline);
  /// gdb is gone without a word: the kernel is brought back to its prompt, and goes on if it has not crashed.
  void abandoned(bool ran);
  void close() noexcept;
  /// One question to the debugger at its prompt, with no gdb at the port: before and after, the stub has the
  /// word.
  DebuggerAnswer ask(const std::string& command, const Deadline& deadline);

 private:
  std::shared_ptr<VM::State> state_;
  std::shared_ptr<Session> session_;
  const guest::DebuggerRules& rules_;
  KernelEntry entry_;
  std::string previous_;  // the backend before, where a program selects it
  bool was_paused_ = false, was_prompt_ = false, closed_ = false;
};

}  // namespace kdev::vm
