#include "host/local_host.hpp"

#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <kdev/error.hpp>
#include <sstream>
#include <thread>

#include "host/proc.hpp"
#include "host/program.hpp"

namespace kdev {
namespace {

/// "max 100000" or "50000 100000" (cgroup v2, cpu.max): whole CPUs, rounded up; a large number when
/// unlimited.
int cgroup_cpus() {
  std::istringstream text(read_proc_file("/sys/fs/cgroup/cpu.max"));
  double quota = 0, period = 0;
  if (text >> quota >> period && quota > 0 && period > 0)
    return std::max(1, static_cast<int>(std::ceil(quota / period)));
  return 1 << 20;
}

/// What the cgroup (v2) of a container leaves; a large number when unlimited.
std::uint64_t cgroup_memory() {
  std::uint64_t limit = 0, used = 0;
  std::istringstream max(read_proc_file("/sys/fs/cgroup/memory.max"));
  std::istringstream current(read_proc_file("/sys/fs/cgroup/memory.current"));
  if (max >> limit && current >> used) return limit - std::min(limit, used);
  return ~std::uint64_t{0};
}

}  // namespace

std::string LocalHost::name() const {
  char buffer[256] = {};
  return ::gethostname(buffer, sizeof buffer - 1) == 0 ? buffer : "localhost";
}

std::optional<Path> LocalHost::which(const std::string& program) {
  return find_program(program, default_search_path());
}

int LocalHost::cpu_count() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  return std::clamp(cgroup_cpus(), 1, std::max(1, count));
}

std::uint64_t LocalHost::memory_available() {
  std::istringstream meminfo(read_proc_file("/proc/meminfo"));
  std::string line;
  while (std::getline(meminfo, line)) {
    std::istringstream fields(line);
    std::string name;
    std::uint64_t kib = 0;
    if (fields >> name >> kib && name == "MemAvailable:") return std::min(kib * 1024, cgroup_memory());
  }
  return cgroup_memory();
}

Path LocalHost::home() {
  if (const char* value = std::getenv("HOME"); value && value[0] == '/') return value;
  passwd entry = {};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found)
    return found->pw_dir;
  throw HostError({.attempted = "find the home folder",
                   .reason = "HOME is not set, and the user database does not know this user",
                   .hint = "write the full path",
                   .log = {}});
}

std::shared_ptr<Host> local_host() {
  static const std::shared_ptr<Host> host = std::make_shared<LocalHost>();
  return host;
}

}  // namespace kdev
