#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace kdev::vm {

/// start(), reboot() and stop() of one VM come one at a time; close() stops the one that runs and has the
/// last turn. Thread-safe.
class Turns {
 public:
  /// False: another thread has its turn, or waits to close.
  bool begin();
  /// For close(): stops the turn that runs, waits for its end, and begins one. False: it is this thread's own
  /// (an event sink called), and end() will say so.
  bool begin_closing();
  /// True: close() was called from inside this turn, and whoever began it has to do that now.
  bool end();
  /// Requested when a close() waits for this turn.
  std::stop_token closing() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool busy_ = false;
  bool close_at_end_ = false;
  int closers_ = 0;
  std::thread::id owner_;
  std::stop_source closing_;
};

/// Stop is requested when it is for either of two tokens.
class EitherStop {
 public:
  EitherStop(const std::stop_token& one, const std::stop_token& other)
      : one_(one, request()), other_(other, request()) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::function<void()> request() {
    return [this] { source_.request_stop(); };
  }
  std::stop_source source_;
  std::stop_callback<std::function<void()>> one_, other_;
};

}  // namespace kdev::vm
