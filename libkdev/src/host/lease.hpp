#pragma once
// Leases: what an owner holds is written to disk before it exists, so that whoever comes after a dead owner
// can end it.
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <string>
#include <vector>

namespace kdev {

/// One lease file, DIR/NAME.lease (JSON): the owner (pid, its start time, the machine's boot id), a random
/// token, and the resources. Written atomically on every change. Move-only. The destructor does not undo
/// resources: it only removes the lease file when release() has not been called and nothing was added. Not
/// thread-safe.
class Lease {
 public:
  /// Makes the folder if need be. HostError when a live owner has that name. A dead owner's lease of it is
  /// reaped first.
  static Lease create(const Path& dir, const std::string& name);
  Lease() = default;
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  explicit operator bool() const { return !file_.empty(); }
  /// For SpawnOptions::lease: processes whose environment has KDEV_LEASE=token belong to this lease, also
  /// their children that changed their process group, also when the owner died before it could write down a
  /// pid.
  const std::string& token() const { return token_; }
  const Path& file() const { return file_; }
  void add_process(int pid, unsigned long long start_time);
  void add_path(const Path& path);  ///< a file or a whole directory to remove
  /// A command that undoes something ("ip", "link", "del", "tap0"). Run in reverse order of adding.
  void add_undo(std::vector<std::string> argv);
  /// Everything has been ended in good order: removes the file.
  void release() noexcept;

 private:
  void save() const;
  Path file_;
  std::string token_;
  int owner_ = 0;  // a forked copy of the owner must not touch the file
  struct Held {
    std::vector<std::pair<int, unsigned long long>> processes;
    std::vector<Path> paths;
    std::vector<std::vector<std::string>> undo;
  } held_;
};

/// Ends what leases in `dir` with dead owners hold: processes (TERM, then KILL), undo commands, paths; then
/// the lease files. Returns one line per thing reaped. Live owners' leases are not touched. Safe when several
/// processes reap at once. Never throws for a lease that cannot be read: it is named in the result. Throws
/// Interrupted only. A lease is left alone where its owner cannot be judged: another machine or PID namespace
/// that shares the folder.
std::vector<std::string> reap_leases(const Path& dir);

/// Processes of this machine whose environment carries the token.
std::vector<int> processes_with_token(const std::string& token);

/// Start time of a process (field 22 of /proc/PID/stat), 0 when there is none.
unsigned long long process_start_time(int pid);

}  // namespace kdev
