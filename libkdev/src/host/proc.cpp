#include "host/proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "host/lease.hpp"
#include "host/unique_fd.hpp"

namespace kdev {

std::string read_proc_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd) return text;
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

ProcStat proc_stat(int pid) {
  ProcStat s;
  const std::string text = read_proc_file(fmt::format("/proc/{}/stat", pid));
  // Field 2 is the name in parentheses and may hold anything, ") R 1 1" too: go by the last one.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return s;
  std::istringstream fields(text.substr(name_end + 1));
  fields >> s.state >> s.parent >> s.group;  // 3, 4, 5
  std::string skipped;
  for (int field = 6; field < 22; ++field) fields >> skipped;
  if (fields >> s.start_time) s.pid = pid;
  return s;
}

std::vector<int> all_processes() {
  std::vector<int> result;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc"), &::closedir);
  if (!dir) return result;
  while (const dirent* entry = ::readdir(dir.get()))
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])))
      result.push_back(std::atoi(entry->d_name));
  return result;
}

std::vector<int> group_members(int group) {
  std::vector<int> result;
  for (int pid : all_processes())
    if (const ProcStat s = proc_stat(pid); s.alive() && s.group == group) result.push_back(pid);
  return result;
}

std::vector<int> processes_with_environment(const std::string& name, const std::string& value) {
  std::vector<int> result;
  const std::string wanted = name + "=" + value;
  for (int pid : all_processes()) {
    const std::string environment = read_proc_file(fmt::format("/proc/{}/environ", pid));
    for (std::size_t at = environment.find(wanted); at != std::string::npos;
         at = environment.find(wanted, at + 1)) {
      const std::size_t end = at + wanted.size();
      const bool whole =
          (at == 0 || environment[at - 1] == '\0') && (end == environment.size() || environment[end] == '\0');
      if (!whole) continue;
      if (proc_stat(pid).alive()) result.push_back(pid);
      break;
    }
  }
  return result;
}

std::string boot_id() {
  std::string id = read_proc_file("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && std::isspace(static_cast<unsigned char>(id.back()))) id.pop_back();
  return id;
}

std::vector<int> processes_with_token(const std::string& token) {
  return token.empty() ? std::vector<int>{} : processes_with_environment("KDEV_LEASE", token);
}

unsigned long long process_start_time(int pid) {
  return pid > 0 ? proc_stat(pid).start_time : 0;
}

}  // namespace kdev
