#include "vm/kernel_stub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>

namespace kdev::vm {

KernelStub::KernelStub(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
                       const guest::DebuggerRules& rules)
    : state_(std::move(state)), session_(std::move(session)), rules_(rules), entry_(state_, session_, rules) {
  was_paused_ = session_->status().paused;
  session_->set_debugged(true);
}

void KernelStub::enter(const Deadline& deadline) {
  const auto backends = entry_.backends(deadline.stop());
  if (std::find(backends.available.begin(), backends.available.end(), rules_.stub()) ==
      backends.available.end())
    throw GuestError(
        {.attempted = fmt::format("debug VM '{}'", state_->spec.name),
         .reason = fmt::format("its kernel has no gdb stub that could be reached ({})", rules_.stub()),
         .hint = "preset debug configures it",
         .log = {}});
  const bool selectable = !rules_.select_backend(rules_.stub()).empty();
  if (selectable) {
    previous_ = backends.current;
    if (previous_ != rules_.stub()) entry_.run(rules_.select_backend(rules_.stub()), deadline.stop());
  }
  entry_.enter(DebuggerEntry::automatic, deadline);
  if (!selectable && session_->status().backend != rules_.stub()) entry_.to_stub(deadline);
}

void KernelStub::hand_over(bool stays, const Deadline& deadline) {
  was_prompt_ = stays;
  if (was_paused_) session_->machine().resume(deadline);
  entry_.to_stub(deadline);
}

void KernelStub::interrupt(const Deadline& deadline) {
  if (rules_.break_key().empty())
    session_->machine().nmi(deadline);
  else
    entry_.enter(DebuggerEntry::automatic, deadline);
}

void KernelStub::abandoned(bool ran) {
  const Deadline deadline = Deadline::after(short_call);
  // What gdb left in the code of a running kernel only a stub that can be summoned takes out.
  if (ran && rules_.summon().empty()) return;
  if (ran && !session_->at_prompt()) {
    session_->machine().console_break(deadline);
    session_->type(rules_.break_key());
  }
  entry_.to_prompt(deadline);
  if (!crashed()) entry_.leave(deadline);
}

DebuggerAnswer KernelStub::ask(const std::string& command, const Deadline& deadline) {
  const std::string attempted =
      fmt::format("ask {} of VM '{}' \"{}\"", rules_.name(), state_->spec.name, command);
  entry_.to_prompt(deadline);
  DebuggerAnswer answer = state_->ask(session_, rules_, command, state_->spec.on_crash.answer_timeout,
                                      deadline.stop(), attempted);
  entry_.to_stub(deadline);
  return answer;
}

void KernelStub::close() noexcept {
  if (closed_) return;
  closed_ = true;
  try {
    session_->set_debugged(false);
    const Session::Status now = session_->status();
    if (now.gone) return;
    if (crashed()) {
      if (was_paused_ || state_->spec.on_crash.then != AfterCrash::leave)
        session_->machine().pause(Deadline::after(Seconds(2)));
    } else if (!previous_.empty() && previous_ != rules_.stub()) {
      entry_.run(rules_.select_backend(previous_), {});
    }
  } catch (const std::exception&) {
    // It answers no more: there is nothing to put back.
  }
  entry_.forget();
}

}  // namespace kdev::vm
