#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <string>

#include <fmt/format.h>
#include <kdev/deadline.hpp>
#include <kdev/error.hpp>

namespace kdev {
namespace {

struct Hook {
  std::shared_mutex mutex;
  std::function<bool()> function;
};

Hook& hook() {
  static Hook h;
  return h;
}

bool interrupted_by_hook() {
  std::function<bool()> function;
  {
    std::shared_lock lock(hook().mutex);
    function = hook().function;
  }
  return function && function();
}

}  // namespace

void set_interrupt_hook(std::function<bool()> function) {
  std::unique_lock lock(hook().mutex);
  hook().function = std::move(function);
}

Deadline Deadline::after(Seconds timeout, std::stop_token stop) {
  Deadline d;
  d.stop_ = std::move(stop);
  // A century is "never": keeps the conversion below from overflowing.
  if (timeout < Seconds(3.2e9)) d.at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout);
  return d;
}

Deadline Deadline::never(std::stop_token stop) {
  Deadline d;
  d.stop_ = std::move(stop);
  return d;
}

Deadline Deadline::within(Seconds timeout) const {
  Deadline d = after(timeout, stop_);
  if (at_ && (!d.at_ || *at_ < *d.at_)) d.at_ = at_;
  return d;
}

bool Deadline::expired() const { return at_ && Clock::now() >= *at_; }

Seconds Deadline::remaining() const {
  if (!at_) return Seconds(3.2e9);
  return std::max(Seconds(0), Seconds(*at_ - Clock::now()));
}

int Deadline::slice_ms() const {
  double ms = std::min(100.0, remaining().count() * 1000);
  return static_cast<int>(ms) + (ms > static_cast<int>(ms) ? 1 : 0);
}

void Deadline::check_interrupt(std::string_view what) const {
  if (stop_.stop_requested() || interrupted_by_hook())
    throw Interrupted({.attempted = std::string(what), .reason = "interrupted", .hint = "", .log = {}});
}

void Deadline::check(std::string_view what) const {
  check_interrupt(what);
  if (expired())
    throw TimeoutError({.attempted = std::string(what), .reason = "the deadline passed", .hint = "", .log = {}});
}

}  // namespace kdev
