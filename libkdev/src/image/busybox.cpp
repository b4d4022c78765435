#include "image/busybox.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <map>
#include <mutex>

#include "common/elf_file.hpp"
#include "common/system_error.hpp"
#include "image/guest_path.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;

constexpr const char* kHint = "apt-get install busybox-static";

/// What a file was when it was looked at: another one under the same name differs in it.
std::string identity(const Path& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) throw host_error("look at " + path.string(), errno);
  return fmt::format("{} {} {} {} {}.{}", path.string(), st.st_dev, st.st_ino, st.st_size, st.st_ctim.tv_sec,
                     st.st_ctim.tv_nsec);
}

/// Paths as `busybox --list-full` prints them ("usr/bin/awk"), or names only when it was built without that.
std::vector<std::string> applets(Host& host, const Path& busybox) {
  for (const char* option : {"--list-full", "--list"}) {
    const ProcessResult r =
        host.run({.argv = {busybox.string(), option}}, {.deadline = Deadline::after(Seconds{20})});
    if (!r.ok()) continue;
    std::vector<std::string> paths;
    for (std::size_t at = 0; at < r.out.size();) {
      const std::size_t end = std::min(r.out.find('\n', at), r.out.size());
      const std::string name = r.out.substr(at, end - at);
      at = end + 1;
      if (name.empty() || name == "linuxrc" || name.ends_with("busybox") || leads_out(name)) continue;
      paths.push_back(name.find('/') == std::string::npos ? "/bin/" + name : normal_guest_path(name));
    }
    if (!paths.empty()) return paths;
  }
  throw HostError({.attempted = "list the applets of " + busybox.string(),
                   .reason = "it lists none",
                   .hint = kHint,
                   .log = {}});
}

/// The same, asked once for each busybox: starting a program takes longer than writing the archive.
std::vector<std::string> known_applets(Host& host, const Path& busybox) {
  static std::mutex mutex;
  static std::map<std::string, std::vector<std::string>> known;
  const std::string key = identity(busybox);
  {
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(key); found != known.end()) return found->second;
  }
  std::vector<std::string> paths = applets(host, busybox);
  const std::lock_guard lock(mutex);
  return known[key] = std::move(paths);
}

ImageEntry text(const std::string& path, std::string content) {
  return {.path = path, .mode = 0644, .content = std::move(content)};
}

}  // namespace

bool is_static_program(const Path& path) {
  try {
    return !ElfFile(path, "look at a program").has_segment(PT_INTERP);
  } catch (const Error&) {
    return false;
  }
}

std::vector<ImageEntry> busybox_entries() {
  const std::shared_ptr<Host> host = local_host();
  const std::optional<Path> busybox = host->which("busybox");
  const std::string attempted = "make a busybox image";
  if (!busybox)
    throw HostError({.attempted = attempted, .reason = "busybox is not in PATH", .hint = kHint, .log = {}});
  if (!is_static_program(*busybox))
    throw HostError({.attempted = attempted,
                     .reason = busybox->string() + " is no static program: it would not run in the guest",
                     .hint = kHint,
                     .log = {}});
  std::vector<ImageEntry> entries;
  for (const char* dir : {"/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin", "/etc", "/dev", "/proc", "/sys",
                          "/run", "/mnt", "/m", "/lib", "/var", "/var/log", "/var/run"})
    entries.push_back({.type = Type::dir, .path = dir, .mode = 0755});
  entries.push_back({.type = Type::dir, .path = "/root", .mode = 0700});
  entries.push_back({.type = Type::dir, .path = "/tmp", .mode = 01777});
  entries.push_back(
      {.type = Type::node, .path = "/dev/console", .mode = 0600, .device = 'c', .major = 5, .minor = 1});
  entries.push_back(
      {.type = Type::node, .path = "/dev/null", .mode = 0666, .device = 'c', .major = 1, .minor = 3});
  entries.push_back(
      text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"));
  entries.push_back(text("/etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"));
  entries.push_back(text("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"));
  entries.push_back(text("/etc/shells", "/bin/sh\n"));
  entries.push_back({.path = "/bin/busybox", .mode = 0755, .source = *busybox});
  for (const std::string& path : known_applets(*host, *busybox))
    entries.push_back({.type = Type::symlink, .path = path, .mode = 0777, .target = "/bin/busybox"});
  return entries;
}

ImageEntry agent_entry() {
  return {.path = "/init", .mode = 0755, .source = agent_program()};
}

}  // namespace kdev
