#include "vm/console_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <kdev/error.hpp>

namespace kdev::vm {

ConsoleLog::ConsoleLog(const Path& file) : file_(file), fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  if (!fd_)
    throw HostError({.attempted = "create the console log " + file.string(), .reason = std::strerror(errno), .hint = "", .log = {}});
}

void ConsoleLog::append(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  for (std::size_t done = 0; done < bytes.size() && !incomplete_;) {
    ssize_t n = ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(size_ + done));
    if (n > 0)
      done += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      incomplete_ = true;
  }
  tail_ += bytes;
  size_ += bytes.size();
  // Twice the limit before cutting: each byte is moved at most once.
  if (tail_.size() > 2 * memory_limit) tail_.erase(0, tail_.size() - memory_limit);
}

std::size_t ConsoleLog::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

bool ConsoleLog::incomplete() const {
  std::lock_guard lock(mutex_);
  return incomplete_;
}

std::string ConsoleLog::read(std::size_t from, std::size_t to) const {
  std::lock_guard lock(mutex_);
  to = std::min(to, size_);
  if (from >= to) return {};
  const std::size_t tail_begin = size_ - tail_.size();
  std::string out;
  if (from < tail_begin) {
    const std::size_t end = std::min(to, tail_begin);
    out.resize(end - from);
    std::size_t done = 0;
    while (done < out.size()) {
      ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(from + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    out.resize(done);
    from = end;
  }
  if (from < to) out.append(tail_, from - tail_begin, to - from);
  return out;
}

std::string ConsoleLog::tail(std::size_t bytes) const {
  const std::size_t end = size();
  std::string text = read(end > bytes ? end - bytes : 0, end);
  if (end > bytes)
    if (std::size_t line = text.find('\n'); line != std::string::npos) text.erase(0, line + 1);
  return text;
}

}  // namespace kdev::vm
