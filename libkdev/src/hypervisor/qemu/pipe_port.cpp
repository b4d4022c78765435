#include "hypervisor/qemu/pipe_port.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/system_error.hpp"

namespace kdev::hypervisor {
namespace {

// What the thread is told: more than one time of the first makes no second.
constexpr std::uint64_t finishing = 1, stopped = 1u << 20;
constexpr int capacity = 1 << 20;  // what any user may have: /proc/sys/fs/pipe-max-size

UniqueFd make_pipe(const Path& file) {
  const std::string attempted = "make the pipe " + file.string();
  ::unlink(file.c_str());
  if (::mkfifo(file.c_str(), 0600) != 0) throw host_error(attempted, errno);
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw host_error(attempted, errno);
  ::fcntl(fd.get(), F_SETPIPE_SZ, capacity);  // a smaller one does, mostly
  return fd;
}

}  // namespace

PipePort::PipePort(const Path& folder, const std::string& name, UniqueFd& stream)
    : in_(make_pipe(folder / (name + ".in"))), out_(make_pipe(folder / (name + ".out"))) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw host_error("make a socket pair", errno);
  stream = UniqueFd(ends[0]);
  stream_ = UniqueFd(ends[1]);
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) throw host_error("make an eventfd", errno);
  // Signals belong to the embedding program's threads.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread([this] { carry(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

PipePort::~PipePort() {
  wake(stopped);
  if (thread_.joinable()) thread_.join();
}

void PipePort::finish() {
  wake(finishing);
}

void PipePort::wake(std::uint64_t why) {
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &why, sizeof why);
}

void PipePort::carry() {
  std::array<char, 1 << 16> buffer;
  std::string to_reader, to_device;
  bool last = false;  // nothing will come into the device's pipe any more
  for (;;) {
    std::array<pollfd, 4> fds{{{wake_.get(), POLLIN, 0},
                               {to_reader.empty() ? out_.get() : -1, POLLIN, 0},
                               {to_device.empty() ? -1 : in_.get(), POLLOUT, 0},
                               {stream_.get(), 0, 0}}};
    if (to_device.empty()) fds[3].events |= POLLIN;
    if (!to_reader.empty()) fds[3].events |= POLLOUT;
    if (::poll(fds.data(), fds.size(), last && to_reader.empty() ? 0 : -1) < 0 && errno != EINTR) return;
    if (fds[0].revents) {
      std::uint64_t why = stopped;
      if (::read(wake_.get(), &why, sizeof why) != sizeof why || why >= stopped) return;
      last = true;
    }
    if (fds[3].revents & (POLLERR | POLLHUP)) return;
    if (last && to_reader.empty() && !(fds[1].revents & POLLIN)) {
      ::shutdown(stream_.get(), SHUT_WR);
      return;
    }
    if (fds[1].revents & POLLIN) {
      const ssize_t n = ::read(out_.get(), buffer.data(), buffer.size());
      if (n > 0) to_reader.assign(buffer.data(), static_cast<std::size_t>(n));
    }
    if (fds[3].revents & POLLIN) {
      const ssize_t n = ::recv(stream_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n == 0) return;
      if (n > 0) to_device.assign(buffer.data(), static_cast<std::size_t>(n));
    }
    if (!to_reader.empty()) {
      const ssize_t n =
          ::send(stream_.get(), to_reader.data(), to_reader.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) to_reader.erase(0, static_cast<std::size_t>(n));
    }
    if (!to_device.empty()) {
      const ssize_t n = ::write(in_.get(), to_device.data(), to_device.size());
      if (n > 0) to_device.erase(0, static_cast<std::size_t>(n));
    }
  }
}

}  // namespace kdev::hypervisor
