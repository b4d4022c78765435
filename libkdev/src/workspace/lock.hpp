#pragma once
#include <functional>
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <memory>
#include <string>

namespace kdev {

/// Who holds a lock, as its file says. The file is written after the lock was taken: pid is 0 for that
/// moment.
struct LockHolder {
  int pid = 0;
  std::string since;  ///< local time, "2026-01-31 12:00:00"
  std::string what;   ///< what the holder said it was doing: "build"
};

/// "process 123, since 2026-01-31 12:00:00, to build"
std::string describe(const LockHolder& holder);

/// An exclusive lock on a file of a host, among processes and among threads of one process alike. It is
/// dropped when the holder dies. The file stays behind, empty of meaning. Move-only.
class FileLock {
 public:
  FileLock() = default;
  /// Waits until the deadline. `on_wait` is called once, on this thread, when somebody else has the lock.
  /// TimeoutError names the holder; Interrupted; HostError when the file cannot be made.
  static FileLock acquire(Host& host, const Path& file, const std::string& what,
                          const Deadline& deadline = {},
                          const std::function<void(const LockHolder&)>& on_wait = {});
  /// Nothing when somebody else has it.
  static FileLock try_acquire(Host& host, const Path& file, const std::string& what);

  explicit operator bool() const { return held_ != nullptr; }

 private:
  std::unique_ptr<HeldLock> held_;
};

/// The file that a build in the workspace at `root` locks.
inline Path build_lock_file(const Path& root) {
  return root / "build.lock";
}

}  // namespace kdev
