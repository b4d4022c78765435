#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/system_error.hpp"
#include "host/lease.hpp"
#include "host/local_host.hpp"
#include "host/output.hpp"
#include "host/start.hpp"

namespace kdev {
namespace {

// Somebody whom the command left behind may hold its pipes open for ever.
constexpr Seconds kDrainGrace{0.2};

/// Waits for output, the child's end, or the slice's.
void wait_for_something(const Output& out, const Output& err, const Child& child, bool ended, int slice_ms) {
  pollfd fds[3];
  nfds_t n = 0;
  for (int fd : {out.fd(), err.fd(), ended ? -1 : child.pidfd()})
    if (fd >= 0) fds[n++] = {fd, POLLIN, 0};
  // Without a pidfd nothing announces the child's end.
  const int timeout = !ended && child.pidfd() < 0 ? std::min(slice_ms, 10) : slice_ms;
  ::poll(fds, n, timeout);  // EINTR: the caller looks anyway
}

/// Until the child has ended and its output is read. Throws what the deadline or a callback does.
void follow(Child& child, Output& out, Output& err, const Deadline& deadline, const std::string& what) {
  std::optional<Clock::time_point> give_up;
  for (;;) {
    deadline.check(what);
    // Asked first: what was written before the end is then in the pipes.
    if (!give_up && child.poll()) {
      give_up = Clock::now() + std::chrono::duration_cast<Clock::duration>(kDrainGrace);
      out.owe_what_is_there();
      err.owe_what_is_there();
    }
    const bool any_out = out.pump(), any_err = err.pump();
    if (give_up) {
      if (out.at_end() && err.at_end()) return;
      if (Clock::now() >= *give_up && out.drained() && err.drained()) return;
    }
    if (!any_out && !any_err)
      wait_for_something(out, err, child, give_up.has_value(),
                         std::min(deadline.slice_ms(), give_up ? 20 : 100));
  }
}

/// Ends everything, then keeps what the child still said in the log.
void abandon(Child& child, Output& out, Output& err, Seconds grace) noexcept try {
  out.mute();
  err.mute();
  child.end(grace, true);
  for (Output* o : {&out, &err})
    for (int i = 0; i < 64 && o->pump(); ++i) {
    }
} catch (...) {
  // The log could not be written: the first error matters more.
}

}  // namespace

ProcessResult LocalHost::run(const Command& command, const RunOptions& options) {
  if (options.lease_dir.empty()) return run_to_end(command, options);
  // What a dead owner left there goes first: a make that goes on in an output tree whose lock its owner's
  // death has freed would meet the next one in it.
  reap_leases(options.lease_dir);
  Lease lease = Lease::create(options.lease_dir, fmt::format("{}-{}", options.lease_name, ::getpid()));
  Command leased = command;
  leased.env["KDEV_LEASE"] = lease.token();
  ProcessResult result = run_to_end(leased, options);
  lease.release();
  return result;
}

ProcessResult LocalHost::run_to_end(const Command& command, const RunOptions& options) {
  const auto begin = Clock::now();
  const std::string what = "run " + describe(command);
  options.deadline.check(what);
  const UniqueFd log = options.log.empty() ? UniqueFd() : open_log(options.log);
  Output out(options.on_out_line, options.capture_limit, log.get());
  Output err(options.on_err_line, options.capture_limit, log.get());
  std::unique_ptr<Child> child;
  {
    const UniqueFd out_end = out.open(), err_end = err.open();
    child = start(command, {{out_end.get(), 1}, {err_end.get(), 2}}, "");
  }
  ProcessResult result;
  try {
    follow(*child, out, err, options.deadline, what);
    child->kill_rest();
    result.status = child->end(Seconds(0), false);
    out.finish();
    err.finish();
  } catch (const TimeoutError&) {
    abandon(*child, out, err, options.grace);
    if (!options.deadline.expired()) throw;  // a callback's own
    const double seconds = Seconds(Clock::now() - begin).count();
    throw TimeoutError({.attempted = what,
                        .reason = fmt::format("not finished at the deadline, ended after {:.1f} s", seconds),
                        .hint = "",
                        .log = options.log});
  } catch (...) {
    abandon(*child, out, err, options.grace);
    throw;
  }
  result.out = out.take();
  result.err = err.take();
  result.truncated = out.truncated() || err.truncated();
  result.duration = Clock::now() - begin;
  return result;
}

}  // namespace kdev
