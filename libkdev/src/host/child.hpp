#pragma once
#include <unistd.h>

#include <kdev/host.hpp>
#include <mutex>
#include <optional>
#include <string>

#include "host/unique_fd.hpp"

namespace kdev {

/// A child process that leads a group, from launch to reaping. The leader stays a zombie while others of its
/// group live: so long its pid, and with it the group's number, cannot be given to a stranger. Not
/// thread-safe, except signal().
class Child {
 public:
  /// `mark`: value of KDEV_PROCESS in its environment, by which descendants outside the group are found.
  Child(int pid, std::string mark);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!ended_) end(Seconds(1.0), true);
  }

  int pid() const { return pid_; }
  unsigned long long start_time() const { return start_time_; }
  /// Becomes readable when the leader ends; -1 where the kernel has no pidfd.
  int pidfd() const { return pidfd_.get(); }

  std::optional<ExitStatus> poll();
  /// Waits for the leader to end, at most that long. True when it has.
  bool wait_ms(int ms);
  void signal(int signo) noexcept;
  /// What is left of the group after the leader has ended gets no grace.
  void kill_rest() noexcept;
  /// TERM, KILL after the grace, to the group and, if `strays`, to descendants outside it. Bounded. The
  /// status is empty when even KILL did not end the leader (uninterruptible in the kernel) or somebody else
  /// reaped it.
  ExitStatus end(Seconds grace, bool strays) noexcept;

 private:
  bool is_ours() const { return owner_ == ::getpid(); }
  void reap();
  void signal_strays(int signo, bool strays);

  int pid_;
  int owner_ = ::getpid();
  std::string mark_;
  unsigned long long start_time_ = 0;
  UniqueFd pidfd_;
  std::optional<ExitStatus> status_;
  std::mutex mutex_;  // orders signal() against reap()
  bool reaped_ = false;
  bool ended_ = false;  // end() was called
};

}  // namespace kdev
