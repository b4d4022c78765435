#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include <kdev/export.hpp>

namespace kdev {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// When a blocking call has to give up: a point in time, a stop token, and the process-wide interrupt hook.
/// A value; copies share the stop token. Every blocking call of kdev takes one, waits in slices no longer than
/// slice(), and calls check() between them, so that cancellation takes effect within 100 ms.
class KDEV_API Deadline {
 public:
  /// Never expires.
  Deadline() = default;
  static Deadline after(Seconds timeout, std::stop_token stop = {});
  static Deadline never(std::stop_token stop = {});

  /// The earlier of this one and `timeout` from now; same stop token.
  Deadline within(Seconds timeout) const;

  bool expired() const;
  bool stop_requested() const { return stop_.stop_requested(); }
  bool is_never() const { return !at_; }
  /// Time left; zero when expired; a very long time when never.
  Seconds remaining() const;
  /// How long one wait may last before check() is due: min(remaining, 100 ms), in whole milliseconds, for poll(2).
  int slice_ms() const;
  const std::stop_token& stop() const { return stop_; }

  /// Throws Interrupted when stop was requested or the interrupt hook says so, TimeoutError when expired.
  /// `what` says what was being waited for, for the message.
  void check(std::string_view what) const;
  /// Like check(), but never for the time: only cancellation throws.
  void check_interrupt(std::string_view what) const;

 private:
  std::optional<Clock::time_point> at_;
  std::stop_token stop_;
};

/// Called from inside blocking calls, on the calling thread, at least every 100 ms; true means "give up now" and makes
/// the call throw Interrupted after it cleaned up. Python's binding checks for signals here. Pass {} to remove.
/// Set it before any other thread uses kdev; the hook itself must be thread-safe.
KDEV_API void set_interrupt_hook(std::function<bool()> hook);

}  // namespace kdev
