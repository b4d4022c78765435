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
  while (!bytes.empty()) {
    // Whole blocks of the file: holes are no finer.
    const std::size_t n = std::min(bytes.size(), block - at_ % block);
    const auto part = bytes.substr(0, n);
    const bool zero = is_zero(part);
    for (std::size_t done = 0; done < n && !zero;) {
      const ssize_t w = ::pwrite(fd_, part.data() + done, n - done, static_cast<off_t>(at_ + done));
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) throw host_error(attempted_, errno);
      done += static_cast<std::size_t>(w);
    }
    at_ += n;
    bytes.remove_prefix(n);
  }
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
