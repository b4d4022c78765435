#pragma once
// What /proc tells about processes. All of it is a snapshot: by the time of return it may be old.
#include <string>
#include <vector>

namespace kdev {

struct ProcStat {
  int pid = 0, parent = 0, group = 0;
  char state = '?';                   ///< 'Z': zombie, 'X': dead
  unsigned long long start_time = 0;  ///< clock ticks since boot
  bool alive() const { return start_time != 0 && state != 'Z' && state != 'X'; }
};

/// /proc/PID/stat (proc(5)); start_time 0 when there is no such process.
ProcStat proc_stat(int pid);
/// Every process there is.
std::vector<int> all_processes();
/// Living (not zombie) members of a process group.
std::vector<int> group_members(int group);
/// Living processes with NAME=value in the environment they were started with, as far as this user may look.
std::vector<int> processes_with_environment(const std::string& name, const std::string& value);
/// /proc/sys/kernel/random/boot_id: tells pids and start times of this boot from those of another.
std::string boot_id();
/// The whole file, or nothing: for files that vanish with their process.
std::string read_proc_file(const std::string& path);

}  // namespace kdev
