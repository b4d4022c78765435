#include "build/progress.hpp"

#include <algorithm>

namespace kdev {

void BuildProgress::made(std::string_view object) {
  ++done_;
  step(object);
}

void BuildProgress::step(std::string_view text) {
  if (Clock::now() - sent_ >= std::chrono::milliseconds(100)) send(text);
}

void BuildProgress::finish() {
  total_ = done_;
  send({});
}

void BuildProgress::send(std::string_view text) {
  sent_ = Clock::now();
  if (!sink_) return;
  Progress event{
      .stage = stage_, .done = done_, .total = total_, .eta = Seconds{-1}, .text = std::string(text)};
  if (total_ != 0) event.total = std::max(total_, done_);  // an estimate that was too low
  const Seconds elapsed = sent_ - started_;
  // The first few objects are the host's own tools and say little.
  if (event.total != 0 && (done_ >= 20 || done_ >= event.total))
    event.eta = elapsed * static_cast<double>(event.total - done_) / static_cast<double>(std::max(done_, 1L));
  sink_(event);
}

}  // namespace kdev
