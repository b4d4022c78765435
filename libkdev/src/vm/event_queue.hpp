#pragma once
#include <atomic>
#include <deque>
#include <kdev/event.hpp>
#include <mutex>

namespace kdev::vm {

/// Events wait here until some thread is inside a kdev call that can deliver them. Thread-safe.
class EventQueue {
 public:
  explicit EventQueue(EventSink sink) : sink_(std::move(sink)) {}
  bool wanted() const { return static_cast<bool>(sink_); }
  void push(Event event);
  /// Calls the sink for each queued event, on this thread. One thread delivers at a time; another one that
  /// comes meanwhile returns at once. What the sink throws passes through.
  void deliver();

 private:
  // A guest may print for hours while nobody is inside a call: the oldest lines go first.
  static constexpr std::size_t limit = 100'000;
  EventSink sink_;
  std::mutex mutex_;
  std::atomic_flag delivering_;
  std::deque<Event> queue_;
  std::size_t dropped_ = 0;
};

}  // namespace kdev::vm
