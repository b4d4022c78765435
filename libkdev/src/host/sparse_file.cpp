#include "host/sparse_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/system_error.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
bool is_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void make_sparse_file(const Path& file, std::uint64_t size) {
  const std::string attempted = "make " + file.string();
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) throw host_error(attempted, errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) == 0) return;
  const int error = errno;
  ::unlink(file.c_str());
  throw host_error(attempted, error);
}

void SparseWriter::write(std::string_view bytes) {
  constexpr std::size_t block = 4096;
  std::size_t begin = 0;  // of what is to be written: blocks that are not zero, in one call
  const auto flush = [&](std::size_t end) {
    while (begin < end) {
      const ssize_t n = ::pwrite(fd_, bytes.data() + begin, end - begin, static_cast<off_t>(at_ + begin));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw host_error(attempted_, errno);
      begin += static_cast<std::size_t>(n);
    }
  };
  for (std::size_t at = 0; at < bytes.size();) {
    // Whole blocks of the file: holes are no finer.
    const std::size_t n = std::min(bytes.size() - at, block - (at_ + at) % block);
    if (is_zero(bytes.substr(at, n))) {
      flush(at);
      begin = at + n;
    }
    at += n;
  }
  flush(bytes.size());
  at_ += bytes.size();
}

void SparseWriter::finish() {
  if (::ftruncate(fd_, static_cast<off_t>(at_)) != 0) throw host_error(attempted_, errno);
}

std::uint64_t real_size(const Path& file) {
  struct stat st;
  if (::stat(file.c_str(), &st) != 0) throw host_error("look at " + file.string(), errno);
  return static_cast<std::uint64_t>(st.st_blocks) * 512;  // stat(3): in units of 512
}

}  // namespace kdev
