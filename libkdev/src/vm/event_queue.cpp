#include "vm/event_queue.hpp"

namespace kdev::vm {

void EventQueue::push(Event event) {
  if (!sink_) return;
  std::lock_guard lock(mutex_);
  if (queue_.size() >= limit) {
    queue_.pop_front();
    ++dropped_;
  }
  queue_.push_back(std::move(event));
}

void EventQueue::deliver() {
  if (!sink_) return;
  // Also when it is this thread that delivers: a sink may call kdev.
  if (delivering_.test_and_set(std::memory_order_acquire)) return;
  struct Leave {
    std::atomic_flag& flag;
    ~Leave() { flag.clear(std::memory_order_release); }
  } leave{delivering_};
  for (;;) {
    Event event;
    {
      std::lock_guard lock(mutex_);
      if (dropped_ > 0) {
        event = Notice{std::to_string(dropped_) + " events were dropped: nobody was there to take them"};
        dropped_ = 0;
      } else if (!queue_.empty()) {
        event = std::move(queue_.front());
        queue_.pop_front();
      } else {
        return;
      }
    }
    sink_(event);
  }
}

}  // namespace kdev::vm
