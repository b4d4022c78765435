#pragma once
#include <kdev/host.hpp>

namespace kdev {

/// What a host has to give for a running process. Process adds deadlines.
class Process::Impl {
 public:
  virtual ~Impl() = default;
  virtual int pid() const = 0;
  virtual unsigned long long start_time() const = 0;
  virtual std::optional<ExitStatus> poll() = 0;
  /// Waits at most that long for the process to end.
  virtual void wait_ms(int ms) = 0;
  virtual void signal(int signo) = 0;
  virtual ExitStatus terminate(Seconds grace) noexcept = 0;
};

}  // namespace kdev
