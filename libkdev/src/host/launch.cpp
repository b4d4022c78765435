// The only file that includes Boost.Process: it costs seconds to compile.
#include "host/launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <csignal>
#include <thread>

#include "common/system_error.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

namespace bp = boost::process::v2;
using Launcher = bp::posix::default_launcher;

// A number that no system call of the child fails with: the launcher's own error pipe lies where a passed
// descriptor has to go.
constexpr int kCollision = ENOANO;

/// The launcher tells its executor's context of the fork, and asio collects its services into a vector there:
/// in the child too, where another thread's hold on the allocator's lock lasts for ever. Nothing runs on this
/// context, so it has nothing to hear.
struct UnforkedContext : boost::asio::io_context {
  UnforkedContext() : io_context(1) {}
  void notify_fork(fork_event) {}
};

/// Hands the launcher the context above under its own type.
struct Executor : boost::asio::io_context::executor_type {
  explicit Executor(UnforkedContext& context)
      : basic_executor_type(context.get_executor()), context_(&context) {}
  UnforkedContext& query(boost::asio::execution::context_t) const noexcept { return *context_; }

 private:
  UnforkedContext* context_;
};

/// Boost.Process hooks that run in the child, between fork and exec: async-signal-safe calls only.
struct ChildSetup {
  const Launch& what;
  std::vector<int>& moved;  // scratch, one per descriptor: nothing is allocated in the child
  int open_max;

  template <class L>
  bp::error_code on_setup(L& launcher, const bp::filesystem::path&, const char* const*) {
    for (const PassedFd& p : what.fds) launcher.fd_whitelist.push_back(p.as);
    return {};
  }

  template <class L>
  bp::error_code on_exec_setup(L& launcher, const bp::filesystem::path&, const char* const*) {
    if (int error = set_up(launcher.fd_whitelist)) {
      errno = error;  // what the launcher reports to the parent
      return {error, boost::system::system_category()};
    }
    return {};
  }

  // The launcher of Boost 1.81 would go on to ::exit(), which runs the parent's atexit handlers in the child.
  // It also looks for this hook with five arguments and calls it with four.
  template <class... A>
  void on_exec_error(A&&...) {
    ::_exit(127);
  }

 private:
  int set_up(const std::vector<int>& whitelist) {
    ::setsid();
    for (int s = 1; s < NSIG; ++s) {
      if (s == SIGKILL || s == SIGSTOP) continue;
      struct sigaction action = {};
      action.sa_handler = SIG_DFL;
      ::sigaction(s, &action, nullptr);  // EINVAL for the two that the C library keeps to itself
    }
    if (what.cwd && ::chdir(what.cwd->c_str()) != 0) return errno;
    close_on_exec_from(3);
    int top = 3;
    for (const PassedFd& p : what.fds) top = std::max(top, p.as + 1);
    // The error pipe is on the whitelist, after 0, 1, 2 and what on_setup() put there.
    for (std::size_t i = 3 + what.fds.size(); i < whitelist.size(); ++i)
      for (const PassedFd& p : what.fds)
        if (whitelist[i] == p.as) return kCollision;
    // Two steps, since one's source may be another's target.
    for (std::size_t i = 0; i < what.fds.size(); ++i) {
      moved[i] = ::fcntl(what.fds[i].fd, F_DUPFD_CLOEXEC, top);
      if (moved[i] < 0) return errno;
    }
    for (std::size_t i = 0; i < what.fds.size(); ++i)
      if (::dup2(moved[i], what.fds[i].as) < 0) return errno;
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    return 0;
  }

  void close_on_exec_from(int first) const {
#if defined(__linux__) && defined(SYS_close_range)
    constexpr unsigned kCloexec = 1u << 2;  // CLOSE_RANGE_CLOEXEC, linux/close_range.h
    if (::syscall(SYS_close_range, first, ~0u, kCloexec) == 0) return;
#endif
    for (int fd = first; fd < open_max; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
};

/// Blocks every signal of this thread, so that no handler of the parent runs in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

/// Occupies the numbers that descriptors are passed under, so that the launcher's error pipe does not land on
/// one.
std::vector<UniqueFd> occupy(const std::vector<PassedFd>& fds) {
  std::vector<UniqueFd> held;
  for (const PassedFd& p : fds)
    if (p.as > 2 && ::fcntl(p.as, F_GETFD) == -1) held.emplace_back(::fcntl(p.fd, F_DUPFD_CLOEXEC, p.as));
  return held;
}

/// 0 and the pid, or an errno.
int try_launch(const Launch& what, const std::vector<const char*>& argv, const std::vector<const char*>& env,
               int& pid) {
  std::vector<int> moved(what.fds.size(), -1);
  ChildSetup setup{what, moved, static_cast<int>(std::clamp(::sysconf(_SC_OPEN_MAX), 256L, 65536L))};
  Launcher launcher;
  launcher.env = env.data();
  bp::error_code ec;
  const std::vector<UniqueFd> held = occupy(what.fds);
  const SignalsBlocked blocked;
  try {
    UnforkedContext context;
    const char** arguments = const_cast<const char**>(argv.data());
    auto process =
        launcher(Executor(context), ec, bp::filesystem::path(what.executable.string()), arguments, setup);
    process.detach();
  } catch (const boost::system::system_error& e) {
    // Boost's own handle could not be made: no descriptors left, or SIGCHLD is ignored and the child has come
    // and gone. By then exec has succeeded, unless ec says otherwise.
    if (!ec && launcher.pid <= 0) ec = e.code();
  }
  if (!ec) {
    pid = launcher.pid;
    return 0;
  }
  while (launcher.pid > 0 && ::waitpid(launcher.pid, nullptr, 0) == -1 && errno == EINTR) {
  }
  return ec.value() != 0 ? ec.value() : EIO;
}

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> result;
  for (const std::string& s : strings) result.push_back(s.c_str());
  result.push_back(nullptr);
  return result;
}

HostError launch_error(const Launch& what, int error) {
  const std::string attempted = "start " + what.executable.string();
  if (error == ENOEXEC)
    return HostError({.attempted = attempted,
                      .reason = "not a program for this machine",
                      .hint = "a script needs a first line such as #!/bin/sh",
                      .log = {}});
  if (error == ENOENT)
    return HostError(
        {.attempted = attempted,
         .reason = "its interpreter or dynamic loader was not found",
         .hint = "look at the script's first line, or at the output of: file " + what.executable.string(),
         .log = {}});
  if (error == E2BIG)
    return HostError({.attempted = attempted,
                      .reason = "arguments and environment are too long",
                      .hint = "pass long data on standard input or in a file",
                      .log = {}});
  return host_error(attempted, error);
}

}  // namespace

int launch(const Launch& what) {
  const std::vector<const char*> argv = pointers(what.argv), env = pointers(what.env);
  int error = 0, pid = -1;
  // ETXTBSY: another thread's child, between its fork and exec, still holds a just-written program open for
  // writing.
  for (int attempt = 0; attempt < 50; ++attempt) {
    error = try_launch(what, argv, env, pid);
    if (error == 0) return pid;
    if (error != ETXTBSY && error != kCollision) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw launch_error(what, error);
}

}  // namespace kdev
