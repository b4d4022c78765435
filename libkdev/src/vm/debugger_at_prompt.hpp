#pragma once
// What a KernelDebugger holds: a kernel at its debugger's prompt, and how it came there.
#include <kdev/kernel_debugger.hpp>

#include "vm/kernel_entry.hpp"

namespace kdev::vm {

class DebuggerAtPrompt {
 public:
  /// What VM::kernel_debugger() throws.
  DebuggerAtPrompt(std::shared_ptr<VM::State> state, const KernelDebuggerOptions& options);
  ~DebuggerAtPrompt() { close(); }
  DebuggerAtPrompt(const DebuggerAtPrompt&) = delete;
  DebuggerAtPrompt& operator=(const DebuggerAtPrompt&) = delete;

  DebuggerAnswer run(const std::string& command, std::optional<Seconds> timeout, const std::stop_token& stop);
  const guest::DebuggerRules& rules() const { return rules_; }
  const std::string& name() const { return name_; }
  std::string backend() const { return next_; }
  void select_backend(const std::string& backend);
  bool crashed() const { return was_prompt_ || session_->status().panicked; }
  void close() noexcept;

 private:
  void enter(const KernelDebuggerOptions& options, const Deadline& deadline);
  void leave(const Deadline& deadline);

  std::shared_ptr<VM::State> state_;
  const guest::DebuggerRules& rules_;
  std::shared_ptr<Session> session_;
  const std::string name_;
  const Seconds limit_;
  KernelEntry entry_;
  std::vector<std::string> available_;
  std::string previous_;  // the backend before, where a program selects it
  std::string next_;      // for the next stop
  bool gave_console_ = false, was_paused_ = false, was_prompt_ = false, closed_ = false;
};

}  // namespace kdev::vm
