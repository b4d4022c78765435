#include "host/start.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/system_error.hpp"
#include "host/launch.hpp"
#include "host/output.hpp"
#include "host/program.hpp"
#include "host/random.hpp"

namespace kdev {
namespace {

/// A file in memory rather than a pipe: nobody has to feed it while the child runs, and a child that never
/// reads it blocks nobody.
UniqueFd standard_input(const Command& command) {
  if (command.input.empty()) {
    UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) throw host_error("open /dev/null", errno);
    return null;
  }
  const std::string attempted = fmt::format("hold {} bytes of standard input", command.input.size());
  UniqueFd file(::memfd_create("kdev-stdin", MFD_CLOEXEC));
  if (!file) throw host_error(attempted, errno);
  if (int error = write_all(file.get(), command.input)) throw host_error(attempted, error);
  if (::lseek(file.get(), 0, SEEK_SET) != 0) throw host_error(attempted, errno);
  return file;
}

void check_cwd(const Command& command) {
  if (!command.cwd) return;
  struct stat st;
  const std::string attempted = fmt::format("start {} in {}", command.argv[0], command.cwd->string());
  if (::stat(command.cwd->c_str(), &st) != 0) throw host_error(attempted, errno);
  if (!S_ISDIR(st.st_mode)) throw host_error(attempted, ENOTDIR);
}

}  // namespace

std::unique_ptr<Child> start(const Command& command, std::vector<PassedFd> fds, const std::string& lease) {
  Launch what;
  if (!command.argv.empty()) check_cwd(command);
  what.executable = resolve_program(command);
  what.argv = command.argv;
  what.cwd = command.cwd;
  const std::string mark = random_token();
  auto environment = child_environment(command);
  environment["KDEV_PROCESS"] = mark;
  if (!lease.empty()) environment["KDEV_LEASE"] = lease;
  for (const auto& [name, value] : environment) what.env.push_back(name + "=" + value);
  const UniqueFd input = standard_input(command);
  fds.push_back({input.get(), 0});
  what.fds = std::move(fds);
  return std::make_unique<Child>(launch(what), mark);
}

UniqueFd open_log(const Path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (!fd) throw host_error("open the log " + path.string(), errno);
  return fd;
}

}  // namespace kdev
