#include "workspace/lock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <thread>

#include "common/json.hpp"

namespace kdev {
namespace {

std::string signature(const std::string& what) {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  ::localtime_r(&now, &local);
  const json::object holder = {
      {"pid", ::getpid()}, {"since", fmt::format("{:%Y-%m-%d %H:%M:%S}", local)}, {"what", json::utf8(what)}};
  return json::dump(holder) + "\n";
}

LockHolder holder_of(Host& host, const Path& file) {
  try {
    const json::object o = json::parse_object(host.read_file(file), "a lock");
    return {.pid = static_cast<int>(json::get_int(o, "pid")),
            .since = json::get_string(o, "since"),
            .what = json::get_string(o, "what")};
  } catch (const Error&) {
    return {};  // just taken, and not signed yet
  }
}

}  // namespace

std::string describe(const LockHolder& holder) {
  if (holder.pid == 0) return "another process";
  return fmt::format("process {}, since {}, to {}", holder.pid, holder.since, holder.what);
}

FileLock FileLock::try_acquire(Host& host, const Path& file, const std::string& what) {
  FileLock lock;
  lock.held_ = host.try_lock(file, signature(what));
  return lock;
}

FileLock FileLock::acquire(Host& host, const Path& file, const std::string& what, const Deadline& deadline,
                           const std::function<void(const LockHolder&)>& on_wait) {
  const std::string attempted = fmt::format("lock {} to {}", file.string(), what);
  for (bool told = false;;) {
    if (FileLock lock = try_acquire(host, file, what)) return lock;
    if (!told && on_wait) on_wait(holder_of(host, file));
    told = true;
    try {
      deadline.check(attempted);
    } catch (const TimeoutError&) {
      throw TimeoutError({.attempted = attempted,
                          .reason = "held by " + describe(holder_of(host, file)),
                          .hint = "wait for it, or use another workspace",
                          .log = {}});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(deadline.slice_ms(), 50)));
  }
}

}  // namespace kdev
