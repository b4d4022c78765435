#include "host/output.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/system_error.hpp"

namespace kdev {
namespace {
// A longer line reaches the callback in pieces: a stream of zero bytes must not eat all memory.
constexpr std::size_t kMaxLine = 1u << 20;
}  // namespace

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

UniqueFd Output::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw host_error("make a pipe", errno);
  fd_.reset(ends[0]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // the child's end has flags of its own
  return UniqueFd(ends[1]);
}

bool Output::pump() {
  if (!fd_) return false;
  char buffer[65536];
  const ssize_t n = ::read(fd_.get(), buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (n <= 0) {
    fd_.reset();
    return false;
  }
  owed_ -= std::min(owed_, static_cast<std::size_t>(n));
  accept({buffer, static_cast<std::size_t>(n)});
  return true;
}

void Output::owe_what_is_there() {
  int bytes = 0;
  if (fd_ && ::ioctl(fd_.get(), FIONREAD, &bytes) == 0 && bytes > 0) owed_ = static_cast<std::size_t>(bytes);
}

void Output::accept(std::string_view bytes) {
  if (log_fd_ >= 0)
    if (int error = write_all(log_fd_, bytes)) throw host_error("write the log", error);
  const std::size_t room = limit_ - std::min(limit_, kept_.size());
  if (bytes.size() > room) truncated_ = true;
  kept_.append(bytes.substr(0, room));
  if (!on_line_ || muted_) return;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      line_.append(bytes);
      if (line_.size() >= kMaxLine) deliver({});
      return;
    }
    deliver(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
}

void Output::deliver(std::string_view line) {
  if (line_.empty()) return on_line_(line);
  line_.append(line);
  // Moved out first: the callback may throw.
  const std::string whole = std::move(line_);
  line_.clear();
  on_line_(whole);
}

void Output::finish() {
  if (on_line_ && !muted_ && !line_.empty()) deliver({});
}

}  // namespace kdev
