#include "workspace/lock.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <thread>

#include "common/json.hpp"
#include "common/system_error.hpp"

namespace kdev {
namespace {

/// Empty while another process has it.
UniqueFd try_lock(const Path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!fd) throw host_error("open the lock " + file.string(), errno);
  for (;;) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno == EWOULDBLOCK) return {};
    if (errno != EINTR) throw host_error("lock " + file.string(), errno);
  }
}

/// For people only: a full disk or a short write does no harm.
void sign(int fd, const std::string& what) {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  ::localtime_r(&now, &local);
  const json::object holder = {
      {"pid", ::getpid()}, {"since", fmt::format("{:%Y-%m-%d %H:%M:%S}", local)}, {"what", json::utf8(what)}};
  const std::string text = json::dump(holder) + "\n";
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) < 0) return;
}

LockHolder holder_of(const Path& file) {
  try {
    const json::object o = json::parse_object(local_host()->read_file(file), "a lock");
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

FileLock FileLock::try_acquire(const Path& file, const std::string& what) {
  FileLock lock;
  lock.fd_ = try_lock(file);
  if (lock.fd_) sign(lock.fd_.get(), what);
  return lock;
}

FileLock FileLock::acquire(const Path& file, const std::string& what, const Deadline& deadline,
                           const std::function<void(const LockHolder&)>& on_wait) {
  const std::string attempted = fmt::format("lock {} to {}", file.string(), what);
  for (bool told = false;;) {
    if (FileLock lock = try_acquire(file, what)) return lock;
    if (!told && on_wait) on_wait(holder_of(file));
    told = true;
    try {
      deadline.check(attempted);
    } catch (const TimeoutError&) {
      throw TimeoutError({.attempted = attempted,
                          .reason = "held by " + describe(holder_of(file)),
                          .hint = "wait for it, or use another workspace",
                          .log = {}});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(deadline.slice_ms(), 50)));
  }
}

}  // namespace kdev
