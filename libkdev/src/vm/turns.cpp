#include "vm/turns.hpp"

#include <utility>

namespace kdev::vm {

bool Turns::begin() {
  std::lock_guard lock(mutex_);
  if (busy_ || closers_ > 0) return false;
  busy_ = true;
  owner_ = std::this_thread::get_id();
  return true;
}

bool Turns::begin_closing() {
  std::unique_lock lock(mutex_);
  if (busy_ && owner_ == std::this_thread::get_id()) {
    close_at_end_ = true;
    // Outside the lock: what waits for the token runs its callbacks here.
    std::stop_source closing = closing_;
    lock.unlock();
    closing.request_stop();
    return false;
  }
  ++closers_;
  if (busy_) {
    std::stop_source closing = closing_;
    lock.unlock();
    closing.request_stop();
    lock.lock();
  }
  ended_.wait(lock, [this] { return !busy_; });
  --closers_;
  busy_ = true;
  owner_ = std::this_thread::get_id();
  return true;
}

bool Turns::end() {
  std::lock_guard lock(mutex_);
  busy_ = false;
  owner_ = {};
  if (closing_.stop_requested()) closing_ = std::stop_source();
  ended_.notify_all();
  return std::exchange(close_at_end_, false);
}

std::stop_token Turns::closing() const {
  std::lock_guard lock(mutex_);
  return closing_.get_token();
}

}  // namespace kdev::vm
