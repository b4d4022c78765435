#include "image/sparse_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/system_error.hpp"
#include "host/unique_fd.hpp"

namespace kdev {

void make_sparse_file(const Path& file, std::uint64_t size) {
  const std::string attempted = "make " + file.string();
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) throw host_error(attempted, errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) == 0) return;
  const int error = errno;
  ::unlink(file.c_str());
  throw host_error(attempted, error);
}

std::uint64_t real_size(const Path& file) {
  struct stat st;
  if (::stat(file.c_str(), &st) != 0) throw host_error("look at " + file.string(), errno);
  return static_cast<std::uint64_t>(st.st_blocks) * 512;  // stat(3): in units of 512
}

}  // namespace kdev
