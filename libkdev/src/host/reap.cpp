// Ending what dead owners left.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <csignal>
#include <kdev/error.hpp>
#include <set>
#include <thread>

#include "common/system_error.hpp"
#include "host/lease.hpp"
#include "host/lease_file.hpp"
#include "host/proc.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using Lines = std::vector<std::string>;

constexpr Seconds kTermGrace{1.0}, kKillGrace{5.0}, kUndoPatience{15.0};

std::string process_name(int pid) {
  std::string name = read_proc_file(fmt::format("/proc/{}/comm", pid));
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

/// Those still alive: named in the lease (and not a later process with the same pid), or carrying its token.
std::set<int> living(const LeaseFile& lease) {
  std::set<int> pids;
  for (const auto& [pid, start_time] : lease.processes)
    if (const ProcStat s = proc_stat(pid); s.alive() && s.start_time == start_time) {
      pids.insert(pid);
      if (s.group == pid)
        for (int member : group_members(pid)) pids.insert(member);
    }
  for (int pid : processes_with_token(lease.token)) pids.insert(pid);
  // Whoever reaps may have been started by what it reaps.
  pids.erase(::getpid());
  return pids;
}

/// False when some process is there still.
bool end_processes(const LeaseFile& lease, const std::string& name, Lines& lines) {
  std::set<int> seen, pids = living(lease);
  for (const auto& [signo, grace] : {std::pair{SIGTERM, kTermGrace}, {SIGKILL, kKillGrace}}) {
    const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(grace);
    std::set<int> signalled;
    while (!pids.empty() && Clock::now() < until) {
      for (int pid : pids) {
        if (seen.insert(pid).second)
          lines.push_back(fmt::format("{}: ended process {} ({})", name, pid, process_name(pid)));
        // KILL again and again: it is free, and they may be forking.
        if (signalled.insert(pid).second || signo == SIGKILL) {
          ::kill(pid, signo);
          ::kill(pid, SIGCONT);
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      pids = living(lease);
    }
  }
  for (int pid : pids) lines.push_back(fmt::format("{}: process {} could not be ended", name, pid));
  return pids.empty();
}

void run_undo(const LeaseFile& lease, const std::string& name, Lines& lines) {
  for (auto argv = lease.undo.rbegin(); argv != lease.undo.rend(); ++argv) {
    // With the token: if this reaper is killed too, the next one finds the command.
    const Command command{.argv = *argv, .env = {{"KDEV_LEASE", lease.token}}};
    std::string outcome;
    try {
      const ProcessResult r = local_host()->run(command, {.deadline = Deadline::after(kUndoPatience)});
      if (!r.ok()) outcome = fmt::format(": {}: {}", describe(r.status), r.err.substr(0, r.err.find('\n')));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& e) {
      outcome = ": " + e.reason();
    }
    lines.push_back(fmt::format("{}: ran {}{}", name, describe(Command{.argv = *argv}), outcome));
  }
}

void remove_paths(const LeaseFile& lease, const std::string& name, Lines& lines) {
  for (const Path& path : lease.paths) {
    boost::system::error_code ec;
    if (!path.is_absolute() || path == path.root_path() || !fs::exists(fs::symlink_status(path, ec)))
      continue;
    fs::remove_all(path, ec);
    lines.push_back(ec ? fmt::format("{}: could not remove {}: {}", name, path.string(), ec.message())
                       : fmt::format("{}: removed {}", name, path.string()));
  }
}

/// Locked, and still the file of that name: nothing when another process reaps it or has done so.
UniqueFd lock_for_reaping(const Path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return {};
  struct stat ours, named;
  const bool same = ::fstat(fd.get(), &ours) == 0 && ::stat(file.c_str(), &named) == 0 &&
                    ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
  return same ? std::move(fd) : UniqueFd();
}

/// A save that was cut short left ".NAME.lease.PID.SOMETHING.tmp".
void remove_unfinished_save(const Path& file) {
  const std::string name = file.filename().string(), sign = ".lease.";
  const std::size_t at = name.find(sign);
  if (name[0] != '.' || at == std::string::npos || file.extension() != ".tmp") return;
  const int pid = std::atoi(name.c_str() + at + sign.size());
  struct stat st;
  // Old enough that no process of another namespace is just writing it.
  const bool old = ::stat(file.c_str(), &st) == 0 && ::time(nullptr) - st.st_mtime > 60;
  if (pid > 0 && process_start_time(pid) == 0 && old) ::unlink(file.c_str());
}

}  // namespace

std::vector<std::string> reap_lease(const Path& file) {
  Lines lines;
  const std::string name = lease_name(file);
  try {
    // Before the lock, so that a live owner's file is only read.
    if (!lease_from_json(local_host()->read_file(file)).owner.is_dead()) return lines;
    const UniqueFd lock = lock_for_reaping(file);
    if (!lock) return lines;
    const LeaseFile lease = lease_from_json(local_host()->read_file(file));
    if (!lease.owner.is_dead()) return lines;
    bool ended = true;
    if (!lease.owner.of_earlier_boot()) {
      ended = end_processes(lease, name, lines);
      run_undo(lease, name, lines);
    }
    remove_paths(lease, name, lines);
    if (ended && ::unlink(file.c_str()) != 0 && errno != ENOENT)
      lines.push_back(fmt::format("{}: could not remove {}: {}", name, file.string(), errno_text(errno)));
  } catch (const Interrupted&) {
    throw;  // the lease stays, for the next time
  } catch (const Error& e) {
    // Gone in the meantime: another process was faster.
    boost::system::error_code ignored;
    if (fs::exists(file, ignored))
      lines.push_back(fmt::format("{}: cannot be read: {}", file.string(), e.reason()));
  }
  return lines;
}

std::vector<std::string> reap_leases(const Path& dir) {
  Lines lines;
  boost::system::error_code ec;
  std::vector<Path> leases;
  for (fs::directory_iterator entry(dir, ec), end; !ec && entry != end; entry.increment(ec)) {
    boost::system::error_code ignored;
    if (entry->path().extension() == ".lease" && fs::is_regular_file(entry->symlink_status(ignored)))
      leases.push_back(entry->path());
    remove_unfinished_save(entry->path());
  }
  std::sort(leases.begin(), leases.end());
  for (const Path& file : leases) {
    const Lines more = reap_lease(file);
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

}  // namespace kdev
