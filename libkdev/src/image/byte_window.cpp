#include "image/byte_window.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/system_error.hpp"

namespace kdev {
namespace {

constexpr std::size_t kBlock = 1 << 16;
/// How far back the position can go without reading again. libarchive's readers never ask for more at once
/// than a cpio name or a symbolic link's target (limits of 1 MiB in archive_read_support_format_cpio.c).
constexpr std::size_t kHistory = 3u << 20;

}  // namespace

FileSource::FileSource(const Path& file) : file_(file), fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!fd_) throw host_error("read " + file.string(), errno);
}

std::size_t FileSource::read_at(std::uint64_t position, char* to, std::size_t size) {
  for (;;) {
    const ssize_t n = ::pread(fd_.get(), to, size, static_cast<off_t>(position));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw host_error("read " + file_.string(), errno);
  }
}

bool ByteWindow::fill() {
  if (at_ > kHistory + (1u << 20)) {  // moved in big steps: erasing costs a copy
    const std::size_t old = at_ - kHistory;
    buffer_.erase(0, old);
    base_ += old;
    at_ -= old;
  }
  const std::size_t had = buffer_.size();
  const std::uint64_t from = base_ + had;
  const std::size_t want =
      static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, limit_ - std::min(limit_, from)));
  buffer_.resize(had + want);
  std::size_t n = 0;
  try {
    n = want ? source_.read_at(from, buffer_.data() + had, want) : 0;
  } catch (...) {
    buffer_.resize(had);
    throw;
  }
  buffer_.resize(had + n);
  return n > 0;
}

void ByteWindow::seek(std::uint64_t position) {
  if (position < base_ || position > base_ + buffer_.size()) {
    buffer_.clear();
    base_ = position;
  }
  at_ = static_cast<std::size_t>(position - base_);
}

std::string_view ByteWindow::take() {
  if (at_ == buffer_.size() && !fill()) return {};
  const std::string_view bytes = std::string_view(buffer_).substr(at_, kBlock);
  at_ += bytes.size();
  return bytes;
}

std::string_view ByteWindow::peek(std::size_t size) {
  while (buffer_.size() - at_ < size && fill()) {
  }
  return std::string_view(buffer_).substr(at_, size);
}

bool ByteWindow::skip_zeros() {
  for (;;) {
    const std::string_view bytes = take();
    if (bytes.empty()) return false;
    const std::size_t zeros = std::min(bytes.find_first_not_of('\0'), bytes.size());
    at_ -= bytes.size() - zeros;
    if (zeros < bytes.size()) return true;
  }
}

long ByteWindow::read_callback(::archive*, void* self, const void** bytes) {
  auto* window = static_cast<ByteWindow*>(self);
  try {
    const std::string_view next = window->take();
    *bytes = next.data();
    return static_cast<long>(next.size());
  } catch (...) {
    window->failure = std::current_exception();
    return -1;
  }
}

}  // namespace kdev
