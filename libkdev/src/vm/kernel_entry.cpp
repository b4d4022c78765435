#include "vm/kernel_entry.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <kdev/error.hpp>

#include "debug/detach.hpp"
#include "guest/guest.hpp"
#include "host/unix_socket.hpp"

namespace kdev::vm {
namespace {

// A kernel that takes breaks is in its debugger sooner, even on a busy host.
constexpr Seconds break_limit{3};
// A kernel in its debugger polls its serial port, and nothing else happens in its machine.
constexpr std::chrono::milliseconds wake_every{25};
// From the line that says that it stops to the one that says for whom.
constexpr Seconds backend_limit{1};
// For a prompt that is back because the debugger wants to hear it twice.
constexpr Seconds second_thought{0.15};

}  // namespace

const guest::DebuggerRules& debugger_of(const VmSpec& spec, const std::string& attempted) {
  if (const auto* rules = guest::guest_for(spec.kernel.os).debugger()) return *rules;
  throw GuestError(
      {.attempted = attempted,
       .reason = fmt::format("kdev knows of no debugger in {}'s kernel", os_title(spec.kernel.os)),
       .hint = "",
       .log = {}});
}

KernelEntry::KernelEntry(std::shared_ptr<VM::State> state, std::shared_ptr<Session> session,
                         const guest::DebuggerRules& rules)
    : state_(std::move(state)), session_(std::move(session)), rules_(rules) {
  if (!session_ || !state_->spec.debug_port) return;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  wakes_ = std::jthread([session = session_](const std::stop_token& stop) {
    while (!stop.stop_requested() && !session->status().gone) {
      try {
        session->machine().wake(Deadline::after(short_call, stop));
      } catch (const std::exception&) {
        // It ends, or is busy. Without this the debugger might not hear anything any more: once more.
      }
      std::this_thread::sleep_for(wake_every);
    }
  });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

CommandResult KernelEntry::run(const std::vector<std::string>& argv, const std::stop_token& stop) {
  return VM::spawn_job(state_, argv, {.timeout = short_call, .check = true, .stop = stop}, false)
      .wait({}, stop);
}

bool KernelEntry::break_in(const Deadline& deadline) {
  const std::size_t before = session_->status().stops;
  session_->machine().console_break(deadline);
  session_->type(rules_.break_key());
  try {
    await_stop(before, deadline.within(break_limit));
    return true;
  } catch (const TimeoutError&) {
    deadline.check(fmt::format("stop the kernel of VM '{}'", state_->spec.name));
    return false;  // no break gets through: nobody has the console open, or the kernel takes none
  }
}

void KernelEntry::enter(DebuggerEntry by, const Deadline& deadline) {
  const std::string attempted = fmt::format("enter {} of VM '{}'", rules_.name(), state_->spec.name);
  session_->forget_backend();
  const std::size_t before = session_->status().stops;
  const std::vector<std::string> program = rules_.enter(by);
  if (by == DebuggerEntry::nmi) {
    session_->machine().nmi(deadline);
  } else if (program.empty()) {
    throw ConfigError({.attempted = attempted,
                       .reason = fmt::format("{} is not entered that way", rules_.name()),
                       .hint = "let KernelDebuggerOptions::enter be automatic",
                       .log = {}});
  } else if (by == DebuggerEntry::panic || rules_.break_key().empty() || !break_in(deadline)) {
    entering_.emplace(VM::spawn_job(state_, program, {}, false));
  }
  await_stop(before, deadline);
  try {
    session_->wait(deadline.within(backend_limit), attempted, [&] {
      return !session_->status_locked().backend.empty() || rules_.break_key().empty() ||
             session_->status_locked().gone;
    });
  } catch (const TimeoutError&) {
    // A stub that thinks gdb is there says nothing.
  }
}

void KernelEntry::to_stub(const Deadline& deadline) {
  const std::size_t before = session_->status().stops;
  talk({{.command = rules_.stub(), .returns = false}}, deadline);
  session_->wait(
      deadline.within(short_call), fmt::format("enter the gdb stub of VM '{}'", state_->spec.name), [&] {
        const Session::Status& now = session_->status_locked();
        return now.gone || (now.stops > before && (now.backend.empty() || now.backend == rules_.stub()));
      });
  session_->release_debug_port();
}

void KernelEntry::to_prompt(const Deadline& deadline) {
  if (const std::string recall = rules_.recall(); !recall.empty()) {
    const UniqueFd port = connect_unix(state_->dir->path(), hypervisor::debug_socket);
    [[maybe_unused]] const ssize_t n = ::send(port.get(), recall.data(), recall.size(), MSG_NOSIGNAL);
    talk({}, deadline);
    return;
  }
  talk({}, deadline);
}

void KernelEntry::detach_stub() {
  debug::detach_gdb(state_->dir->path(), hypervisor::debug_socket, debug::of_all);
}

void KernelEntry::leave(const Deadline& deadline) {
  talk({{.command = rules_.resume(), .returns = false}}, deadline);
  try {
    session_->wait(deadline.within(second_thought), "leave the debugger",
                   [&] { return session_->status_locked().gone; });
  } catch (const TimeoutError&) {
  }
  // kdb asks twice when not all CPUs have stopped.
  if (session_->at_prompt()) talk({{.command = rules_.resume(), .returns = false}}, deadline);
}

void KernelEntry::talk(std::vector<DebuggerLine> lines, const Deadline& deadline) {
  const std::string what = fmt::format("talk with {} of VM '{}'", rules_.name(), state_->spec.name);
  const auto talk = session_->talk(std::move(lines), short_call);
  if (!talk)
    throw GuestError({.attempted = what, .reason = "somebody else talks with it", .hint = "", .log = {}});
  struct HangUp {
    Session& session;
    const std::shared_ptr<DebuggerTalk>& talk;
    ~HangUp() { session.hang_up(talk); }
  } hang_up{*session_, talk};
  session_->wait(deadline, what, [&] { return talk->over() || session_->status_locked().gone; });
  std::string failure;
  session_->locked([&] { failure = talk->failure(); });
  if (!failure.empty())
    throw GuestError({.attempted = what, .reason = failure, .hint = "", .log = state_->console->file()});
}

void KernelEntry::await_stop(std::size_t before, const Deadline& deadline) {
  session_->wait(deadline.within(short_call), fmt::format("stop the kernel of VM '{}'", state_->spec.name),
                 [&] { return session_->status_locked().stops > before || session_->status_locked().gone; });
}

}  // namespace kdev::vm
