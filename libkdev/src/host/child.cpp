#include "host/child.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include "host/proc.hpp"

namespace kdev {
namespace {

// How long KILL is given: a process in uninterruptible sleep may never go, and then nobody can help.
constexpr Seconds kKillPatience{5.0};

ExitStatus from_siginfo(const siginfo_t& info) {
  ExitStatus status;
  (info.si_code == CLD_EXITED ? status.code : status.signal) = info.si_status;
  return status;
}

}  // namespace

Child::Child(int pid, std::string mark)
    : pid_(pid), mark_(std::move(mark)), start_time_(proc_stat(pid).start_time) {
#ifdef SYS_pidfd_open
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
#endif
}

std::optional<ExitStatus> Child::poll() {
  if (status_) return status_;
  if (!is_ours()) return ExitStatus{};
  siginfo_t info = {};
  int result;
  do {
    result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  } while (result == -1 && errno == EINTR);
  if (result == -1) {
    // ECHILD: the program ignores SIGCHLD or waits for any child; how ours ended is lost.
    const std::lock_guard lock(mutex_);
    reaped_ = true;
    status_ = ExitStatus{};
  } else if (info.si_pid == pid_) {
    status_ = from_siginfo(info);
    if (group_members(pid_).empty()) reap();
  }
  return status_;
}

bool Child::wait_ms(int ms) {
  const auto until = Clock::now() + std::chrono::milliseconds(ms);
  while (!poll()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    if (pidfd_) {
      pollfd p{pidfd_.get(), POLLIN, 0};
      ::poll(&p, 1, static_cast<int>(left));
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min<long>(left, 5)));
    }
  }
  return true;
}

void Child::signal(int signo) noexcept {
  const std::lock_guard lock(mutex_);
  if (!reaped_ && is_ours()) ::kill(-pid_, signo);
}

void Child::kill_rest() noexcept {
  if (poll()) signal(SIGKILL);
}

void Child::reap() {
  const std::lock_guard lock(mutex_);
  if (reaped_) return;
  while (::waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) {
  }
  reaped_ = true;
}

void Child::signal_strays(int signo, bool strays) {
  if (!strays || mark_.empty()) return;
  for (int pid : processes_with_environment("KDEV_PROCESS", mark_)) ::kill(pid, signo);
}

ExitStatus Child::end(Seconds grace, bool strays) noexcept try {
  ended_ = true;
  if (!is_ours()) return {};
  const auto gone = [&] {
    return poll() && (reaped_ || group_members(pid_).empty()) &&
           (!strays || mark_.empty() || processes_with_environment("KDEV_PROCESS", mark_).empty());
  };
  const auto wait_until_gone = [&](Seconds patience) {
    const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(patience);
    while (!gone()) {
      if (Clock::now() >= until) return false;
      if (wait_ms(10)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  };
  if (!gone()) {
    signal(SIGTERM);
    signal_strays(SIGTERM, strays);
    signal(SIGCONT);  // a stopped process sees TERM only when it goes on
    if (!wait_until_gone(grace)) {
      signal(SIGKILL);
      // Again until none is found: one of them may be forking.
      for (int round = 0; round < 10; ++round) {
        signal_strays(SIGKILL, strays);
        if (wait_until_gone(kKillPatience / 10.0)) break;
        signal(SIGKILL);
      }
    }
  }
  if (status_) reap();
  return status_.value_or(ExitStatus{});
} catch (...) {
  // Out of memory while looking at /proc: the plain way still works.
  signal(SIGKILL);
  if (!reaped_) ::waitpid(pid_, nullptr, WNOHANG);
  return {};
}

}  // namespace kdev
