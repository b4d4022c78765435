#include "vm/crash_watch.hpp"

namespace kdev::vm {
namespace {

// After the known last line little follows (registers again, the panic that an oops leads to), and at once.
constexpr Seconds quiet_after_end{0.15};
// A panicking kernel still prints its offset, then nothing ever again.
constexpr Seconds quiet_after_fatal{0.3};
// A report without a known end (hung task, soft lockup): a kernel prints it in one go.
constexpr Seconds quiet_otherwise{1.0};

}  // namespace

void CrashWatch::begin(std::size_t offset, Clock::time_point now) {
  if (open_) return;
  open_ = true;
  fatal_ = end_seen_ = false;
  begin_ = offset;
  opened_ = now;
}

void CrashWatch::panicked(std::size_t offset, Clock::time_point now) {
  begin(offset, now);
  fatal_ = true;
  last_byte_ = now;
  if (end_ < offset) end_ = offset;
}

void CrashWatch::line(std::string_view text, Clock::time_point now) {
  if (!rules_ || !listening_) return;
  if (debugged_ && rules_->enters_debugger(text)) {
    if (!open_) debugged_to_ = end_;
    return;
  }
  if (rules_->begins_report(text)) {
    begin(line_begin_, now);
    end_seen_ = false;
  }
  if (!open_) return;
  if (rules_->is_fatal(text)) fatal_ = true;
  if (rules_->ends_report(text)) end_seen_ = true;
}

std::optional<CrashEpisode> CrashWatch::settle(Clock::time_point now, bool ended) {
  if (!open_) return {};
  const Seconds quiet = now - last_byte_;
  const Seconds wanted = fatal_ ? quiet_after_fatal : end_seen_ ? quiet_after_end : quiet_otherwise;
  if (!ended && quiet < wanted && Seconds(now - opened_) < limit_) return {};
  open_ = false;
  return CrashEpisode{.begin = begin_, .end = end_, .fatal = fatal_, .not_before = debugged_to_};
}

}  // namespace kdev::vm
