#include "vm/kernel_stub.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <kdev/error.hpp>

#include "guest/guest.hpp"
#include "host/unix_socket.hpp"

namespace kdev::vm {

const guest::DebuggerRules& debugger_of(const VmSpec& spec, const std::string& attempted) {
  if (const auto* rules = guest::guest_for(spec.kernel.os).debugger()) return *rules;
  throw GuestError(
      {.attempted = attempted,
       .reason = fmt::format("kdev knows of no debugger in {}'s kernel", os_title(spec.kernel.os)),
       .hint = "",
       .log = {}});
}

KernelStub::KernelStub(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
                       const guest::DebuggerRules& rules)
    : state_(std::move(state)), session_(std::move(session)), rules_(rules) {
  was_paused_ = session_->status().paused;
  session_->set_debugged(true);
}

CommandResult KernelStub::run(const std::vector<std::string>& argv, const std::stop_token& stop) {
  return VM::spawn_job(state_, argv, {.timeout = short_call, .check = true, .stop = stop}, false)
      .wait({}, stop);
}

void KernelStub::enter(const Deadline& deadline) {
  const std::size_t before = session_->status().stops;
  previous_ = rules_.read_backends(run(rules_.list_backends(), deadline.stop()).out).current;
  if (previous_ != rules_.stub()) run(rules_.select_backend(rules_.stub()), deadline.stop());
  entering_.emplace(VM::spawn_job(state_, rules_.enter(), {}, false));
  await_stop(before, deadline);
}

void KernelStub::hand_over(const Deadline& deadline) {
  was_prompt_ = true;
  const std::size_t before = session_->status().stops;
  if (was_paused_) session_->machine().resume(deadline);
  talk({{.command = rules_.stub(), .returns = false}}, deadline);
  await_stop(before, deadline);
}

void KernelStub::back_to_prompt() {
  const UniqueFd port = connect_unix(state_->dir->path(), hypervisor::debug_socket);
  const char ctrl_c = 3;
  [[maybe_unused]] const ssize_t n = ::send(port.get(), &ctrl_c, 1, MSG_NOSIGNAL);
  const Deadline deadline = Deadline::after(short_call);
  talk({}, deadline);
  if (!crashed()) talk({{.command = rules_.resume(), .returns = false}}, deadline);
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
      run(rules_.select_backend(previous_), {});
    }
  } catch (const std::exception&) {
    // It answers no more: there is nothing to put back.
  }
  entering_.reset();
}

void KernelStub::talk(std::vector<DebuggerLine> lines, const Deadline& deadline) {
  const std::string what = fmt::format("talk with {} of VM '{}'", rules_.name(), state_->spec.name);
  const auto talk = session_->talk(std::move(lines), short_call);
  if (!talk)
    throw GuestError({.attempted = what, .reason = "somebody else talks with it", .hint = "", .log = {}});
  session_->wait(deadline, what, [&] { return talk->over() || session_->status_locked().gone; });
  std::string failure;
  session_->locked([&] { failure = talk->failure(); });
  session_->hang_up(talk);
  if (!failure.empty())
    throw GuestError({.attempted = what, .reason = failure, .hint = "", .log = state_->console->file()});
}

void KernelStub::await_stop(std::size_t before, const Deadline& deadline) {
  session_->wait(deadline.within(short_call), fmt::format("stop the kernel of VM '{}'", state_->spec.name),
                 [&] { return session_->status_locked().stops > before || session_->status_locked().gone; });
}

}  // namespace kdev::vm
