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
  std::unique_lock turn(delivering_, std::try_to_lock);
  if (!turn) return;
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
