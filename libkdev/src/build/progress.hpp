#pragma once
// Objects made of expected, and the time left.
#include <kdev/deadline.hpp>
#include <kdev/event.hpp>

namespace kdev {

/// Sends Progress events, at most ten a second. Not thread-safe.
class BuildProgress {
 public:
  /// `expected` 0: unknown.
  BuildProgress(std::string stage, long expected, EventSink sink)
      : stage_(std::move(stage)), total_(expected), sink_(std::move(sink)) {}
  /// One more object is being made.
  void made(std::string_view object);
  /// One more line for people, no object.
  void step(std::string_view text);
  /// Sends where it stands now.
  void finish();
  long done() const { return done_; }

 private:
  void send(std::string_view text);
  std::string stage_;
  long total_;
  EventSink sink_;
  long done_ = 0;
  Clock::time_point started_ = Clock::now(), sent_{};
};

}  // namespace kdev
