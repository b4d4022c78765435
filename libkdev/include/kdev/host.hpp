#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/path.hpp>

namespace kdev {

/// How a process ended: a code or a signal, never mixed up (no 128+n).
struct ExitStatus {
  std::optional<int> code{};
  std::optional<int> signal{};
  bool ok() const { return code && *code == 0; }
  bool operator==(const ExitStatus&) const = default;
};
/// "exit code 2", "killed by signal 9 (SIGKILL)"
KDEV_API std::string describe(const ExitStatus& status);

/// A program to run: always an argument vector. argv[0] is looked up in PATH of the host unless it has a slash.
struct Command {
  std::vector<std::string> argv;
  std::optional<Path> cwd{};
  std::map<std::string, std::string> env{};  ///< added to, or replacing, the inherited environment
  std::vector<std::string> unset_env{};      ///< removed from the inherited environment
  std::string input{};                       ///< written to standard input, then closed; empty: /dev/null
};
/// The command as a person would type it (quoted for a POSIX shell): for logs, and for programs that take such a line.
KDEV_API std::string describe(const Command& command);

struct RunOptions {
  Deadline deadline{};
  /// Called on the calling thread for each whole line (without '\n') of the stream; the text is kept as well. A line of
  /// more than a MiB comes in pieces. What it throws ends the command and passes to the caller.
  std::function<void(std::string_view)> on_out_line{}, on_err_line{};
  /// Both streams are appended to this file of the host as they come, too.
  Path log{};
  /// What each stream may hold in memory, in bytes; the rest goes only to the log and the line callbacks.
  std::size_t capture_limit = 256u << 20;
  /// From the stop (deadline, stop token, error in a callback): TERM to the whole process group, then KILL after this.
  Seconds grace{2.0};
  /// A folder of the host: the command runs under a lease in it, named for `lease_name`, so that it cannot outlive a
  /// dead owner by more than the next call with that folder, which ends it first. Empty: no lease.
  Path lease_dir{};
  std::string lease_name{};
};

struct ProcessResult {
  ExitStatus status;
  std::string out, err;
  bool truncated = false;  ///< capture_limit was reached
  Seconds duration{};
  bool ok() const { return status.ok(); }
};

/// A file descriptor the child gets under a given number. Ownership stays with the caller.
struct PassedFd {
  int fd = -1;
  int as = -1;
};

struct SpawnOptions {
  Path log{};                       ///< standard output and error are appended here; empty: /dev/null
  std::vector<PassedFd> pass{};     ///< `as` at least 3; everything else is closed in the child
  std::string lease{};              ///< value of KDEV_LEASE in the child's environment: how reaping finds strays
};

/// A running process that leads a process group of its own. Move-only. The destructor ends the group (TERM, then KILL
/// after a second) and reaps it. Not thread-safe, except signal().
class KDEV_API Process {
 public:
  class Impl;
  explicit Process(std::unique_ptr<Impl> impl);
  Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  explicit operator bool() const { return impl_ != nullptr; }
  int pid() const;
  /// Start time in clock ticks since boot (/proc/PID/stat field 22): with the pid, this names the process for good.
  unsigned long long start_time() const;
  /// The exit status if it has ended; does not block.
  std::optional<ExitStatus> poll();
  /// Blocks; TimeoutError or Interrupted leave the process running.
  ExitStatus wait(const Deadline& deadline = {});
  /// To the whole group. No error if it is gone.
  void signal(int signo);
  /// TERM to the group, KILL after `grace`; then nothing of the group is left, nor, when it was spawned with a lease, of
  /// its descendants outside the group. Bounded; never throws. An empty status: a leader that not even KILL could end.
  ExitStatus terminate(Seconds grace = Seconds{1.0}) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

/// What a stat of a file says.
struct FileStatus {
  enum class Type { missing, file, directory, link, other };
  Type type = Type::missing;
  unsigned mode = 0;                          ///< permission bits, 07777
  std::uint64_t inode = 0, device = 0;
  std::uint64_t rdev = 0;                     ///< of a device file: which
  std::int64_t size = 0;                      ///< bytes
  std::int64_t mtime_ns = 0, ctime_ns = 0;    ///< since 1970
  bool exists() const { return type != Type::missing; }
  bool is_file() const { return type == Type::file; }
  bool is_directory() const { return type == Type::directory; }
  bool operator==(const FileStatus&) const = default;
};

/// One name in a folder, and its own status: links are not followed.
struct DirectoryEntry {
  std::string name;
  FileStatus status;
};

using Sha256 = std::array<unsigned char, 32>;

/// Content that was read, and the status of the very file that it was read from.
struct FileDigest {
  FileStatus status;
  Sha256 sha256{};
};

/// A lock that is held; given up when it goes.
class KDEV_API HeldLock {
 public:
  virtual ~HeldLock();
};

/// A machine that runs commands and has files: this one, or (later) one reached over ssh. Callers use only this: paths
/// are the host's, and may mean nothing to this process. Implementations are thread-safe.
class KDEV_API Host {
 public:
  virtual ~Host();
  virtual std::string name() const = 0;
  /// True when paths of this host are paths of this process.
  virtual bool is_local() const = 0;

  /// Runs to the end. Non-zero exit is data. Throws HostError if it cannot be started, TimeoutError / Interrupted after
  /// the whole process group, and descendants that left it, have been ended. After a normal end, what is left of the
  /// group is killed; a daemon with a session of its own lives on, and is not waited for if it holds the streams open.
  virtual ProcessResult run(const Command& command, const RunOptions& options = {}) = 0;
  /// Like run(), but a status other than exit code 0 is a HostError that names `attempted` and quotes stderr's tail.
  ProcessResult check(const std::string& attempted, const Command& command, const RunOptions& options = {});
  virtual Process spawn(const Command& command, const SpawnOptions& options = {}) = 0;
  /// Full path of a program in PATH (and /usr/sbin, /sbin), or nothing.
  virtual std::optional<Path> which(const std::string& program) = 0;

  virtual int cpu_count() = 0;
  /// Bytes of memory available to new processes.
  virtual std::uint64_t memory_available() = 0;

  /// Home folder of the user that commands run as. HostError when there is none.
  virtual Path home() = 0;

  // Files. All throw HostError with the path and errno's text.
  /// Nothing there, or a link to nothing: Type::missing.
  virtual FileStatus status(const Path& path) = 0;
  /// Of the link itself.
  virtual FileStatus link_status(const Path& path) = 0;
  /// What is in a folder, without "." and "..", sorted by name.
  virtual std::vector<DirectoryEntry> entries(const Path& folder) = 0;
  /// Made absolute; "." and ".." taken out by name alone. A relative path is one of the working directory on this
  /// machine, of the home folder on another.
  virtual Path absolute(const Path& path) = 0;
  /// With all links resolved; it must be there.
  virtual Path canonical(const Path& path) = 0;
  virtual Path read_link(const Path& link) = 0;
  virtual std::string read_file(const Path& path) = 0;
  /// The content's digest; nothing when there is no such file. A last component that is a link is an error (ELOOP) unless
  /// `follow_link`. Interrupted, when `stop` was requested meanwhile.
  virtual std::optional<FileDigest> digest(const Path& file, bool follow_link = true,
                                           const std::stop_token& stop = {}) = 0;
  /// Atomic: a new file beside it, then rename. Nothing is left when it fails (disk full).
  virtual void write_file(const Path& path, std::string_view content) = 0;
  /// Content and permissions, to a name that must be free; blocks are shared where the file system can do that.
  virtual void copy_file(const Path& from, const Path& to) = 0;
  /// `target` is the link's text.
  virtual void make_link(const Path& target, const Path& link) = 0;
  /// Of one file system. What `to` was is replaced, but a folder that is not empty: then it is false.
  virtual bool rename(const Path& from, const Path& to) = 0;
  virtual void set_mode(const Path& path, unsigned mode) = 0;
  /// Dates it now.
  virtual void touch(const Path& path) = 0;
  virtual void make_directories(const Path& path) = 0;
  /// No error when it is not there.
  virtual void remove_all(const Path& path) = 0;

  /// An exclusive lock on the file (made if need be), among processes and among threads of one process alike; the host
  /// drops it when its owner dies. `sign` goes into the file, for others to read. Null: somebody else has it.
  virtual std::unique_ptr<HeldLock> try_lock(const Path& file, std::string_view sign) = 0;
  /// Ends what leases (RunOptions::lease_dir, VMs) in the folder with dead owners hold. One line for each thing, for people.
  virtual std::vector<std::string> reap(const Path& lease_dir) = 0;

  // In terms of those.
  bool exists(const Path& path) { return status(path).exists(); }
  bool is_file(const Path& path) { return status(path).is_file(); }
  bool is_directory(const Path& path) { return status(path).is_directory(); }
  /// The full paths of entries().
  std::vector<Path> list(const Path& folder);
  /// The regular files (no links) anywhere below a folder, sorted; empty when there is no such folder.
  std::vector<Path> files_below(const Path& folder);
};

/// This machine. One object for the process.
KDEV_API std::shared_ptr<Host> local_host();

}  // namespace kdev
