// The debugger in a guest's kernel as an object.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "vm/debugger_at_prompt.hpp"

namespace kdev {
namespace vm {

DebuggerAtPrompt::DebuggerAtPrompt(std::shared_ptr<VM::State> state, const KernelDebuggerOptions& options)
    : state_(std::move(state)),
      rules_(debugger_of(state_->spec, fmt::format("enter the debugger of VM '{}'", state_->spec.name))),
      session_(state_->current()),
      name_(rules_.name()),
      limit_(options.timeout),
      entry_(state_, session_, rules_) {
  const std::string attempted = fmt::format("enter {} of VM '{}'", name_, state_->spec.name);
  const auto now = state_->seen_state().first;
  auto refuse = [&](const std::string& why) {
    return GuestError({.attempted = attempted,
                       .reason = why,
                       .hint = "",
                       .log = state_->console ? state_->console->file() : Path()});
  };
  was_prompt_ = now == VmState::crashed || now == VmState::hung;
  if (!session_ || !(now == VmState::ready || was_prompt_)) throw refuse("it is " + to_string(now));
  if (session_->status().debugged) throw refuse("somebody debugs it already");
  const Deadline deadline = Deadline::after(options.timeout, options.stop);
  if (was_prompt_) state_->collect_crashes(session_, state_->crash_deadline(options.stop));
  was_paused_ = session_->status().paused;
  session_->set_debugged(options.enter != DebuggerEntry::panic);
  try {
    enter(options, deadline);
  } catch (...) {
    close();
    throw;
  }
}

void DebuggerAtPrompt::enter(const KernelDebuggerOptions& options, const Deadline& deadline) {
  next_ = name_;
  available_ = {name_, rules_.stub()};
  if (was_prompt_) {
    if (was_paused_) session_->machine().resume(deadline);
    entry_.await_prompt(deadline);
    return;
  }
  auto backends = entry_.backends(deadline.stop());
  if (backends.available.empty() && !rules_.give_console(true).empty()) {
    entry_.run(rules_.give_console(true), deadline.stop());
    gave_console_ = true;
    backends = entry_.backends(deadline.stop());
  }
  available_ = backends.available;
  if (!backends.current.empty() && backends.current != name_) {
    entry_.run(rules_.select_backend(name_), deadline.stop());
    previous_ = next_ = backends.current;
  }
  entry_.enter(options.enter, deadline);
  if (options.enter == DebuggerEntry::panic) {
    session_->set_debugged(true);
    session_->wait(deadline, "enter " + name_, [&] {
      const Session::Status& now = session_->status_locked();
      return now.gone || (now.panicked && !now.crash_open);
    });
  }
  entry_.await_prompt(deadline);
}

DebuggerAnswer DebuggerAtPrompt::run(const std::string& command, std::optional<Seconds> timeout,
                                     const std::stop_token& stop) {
  const std::string attempted = fmt::format("ask {} of VM '{}' \"{}\"", name_, state_->spec.name, command);
  if (closed_ || state_->current() != session_)
    throw GuestError({.attempted = attempted, .reason = "it was left", .hint = "", .log = {}});
  return state_->ask(session_, rules_, command, timeout.value_or(limit_), stop, attempted);
}

void DebuggerAtPrompt::select_backend(const std::string& backend) {
  if (std::find(available_.begin(), available_.end(), backend) == available_.end())
    throw GuestError(
        {.attempted = fmt::format("select debugger {} in VM '{}'", backend, state_->spec.name),
         .reason = fmt::format("the kernel has no such debugger, but: {}", fmt::join(available_, ", ")),
         .hint = "",
         .log = {}});
  next_ = backend;
}

void DebuggerAtPrompt::leave(const Deadline& deadline) {
  const bool stub_next = next_ == rules_.stub();
  const std::vector<std::string> program = rules_.select_backend(next_);
  if (program.empty() && stub_next) {
    // It lets the kernel go on when a gdb detaches from it.
    entry_.to_stub(deadline);
    entry_.detach_stub();
  } else {
    entry_.leave(deadline);
  }
  if (!program.empty() && next_ != name_) entry_.run(program, deadline.stop());
  if (gave_console_) entry_.run(rules_.give_console(false), deadline.stop());
}

void DebuggerAtPrompt::close() noexcept {
  if (closed_) return;
  closed_ = true;
  try {
    if (session_->status().gone) return;
    if (crashed()) {
      session_->set_debugged(false);
      if (was_paused_ || state_->spec.on_crash.then != AfterCrash::leave)
        session_->machine().pause(Deadline::after(Seconds(2)));
    } else {
      leave(Deadline::after(short_call));
    }
  } catch (const std::exception&) {
    // It answers no more: it stays where it is.
  }
  session_->set_debugged(false);
  entry_.forget();
}

}  // namespace vm

KernelDebugger::KernelDebugger(std::unique_ptr<vm::DebuggerAtPrompt> at) : at_(std::move(at)) {}
KernelDebugger::KernelDebugger(KernelDebugger&&) noexcept = default;
KernelDebugger& KernelDebugger::operator=(KernelDebugger&&) noexcept = default;
KernelDebugger::~KernelDebugger() = default;

DebuggerAnswer KernelDebugger::run(const std::string& command, std::optional<Seconds> timeout,
                                   std::stop_token stop) {
  return at_->run(command, timeout, stop);
}

std::vector<StackFrame> KernelDebugger::backtrace(int task) {
  DebuggerAnswer answer = run(at_->rules().backtrace(task));
  std::vector<StackFrame> frames;
  for (StackTrace& trace : answer.traces)
    frames.insert(frames.end(), std::make_move_iterator(trace.frames.begin()),
                  std::make_move_iterator(trace.frames.end()));
  if (frames.empty())
    throw GuestError({.attempted = at_->name() + ": " + answer.command,
                      .reason = answer.text.empty() ? "it shows no frames" : answer.text,
                      .hint = "",
                      .log = {}});
  return frames;
}

std::vector<DebuggerTask> KernelDebugger::tasks() {
  return at_->rules().read_tasks(run(at_->rules().tasks()).text);
}

const std::string& KernelDebugger::name() const {
  return at_->name();
}
std::string KernelDebugger::backend() const {
  return at_->backend();
}
void KernelDebugger::select_backend(const std::string& backend) {
  at_->select_backend(backend);
}
bool KernelDebugger::crashed() const {
  return at_->crashed();
}
void KernelDebugger::close() noexcept {
  if (at_) at_->close();
}

KernelDebugger VM::kernel_debugger(const KernelDebuggerOptions& options) {
  return KernelDebugger(std::make_unique<vm::DebuggerAtPrompt>(state_, options));
}

}  // namespace kdev
