#include "host/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
constexpr std::string_view kPrefix = ".kdev-image-";

void remove_stale(const Path& folder) {
  boost::system::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    if (!it->path().filename().string().starts_with(kPrefix)) continue;
    UniqueFd fd(::open(it->path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(it->path().c_str());
  }
}

}  // namespace

AtomicFile::AtomicFile(const Path& target) : target_(hostfs::absolute(target)) {
  // Through a symbolic link: the file it names is replaced, not the link.
  boost::system::error_code ec;
  if (fs::is_symlink(target_, ec))
    if (const Path real = fs::weakly_canonical(target_, ec); !ec) target_ = real;
  if (fs::is_directory(target_, ec)) throw host_error("write " + target.string(), EISDIR);
  const Path folder = target_.parent_path();
  remove_stale(folder);
  for (;;) {
    std::string name = (folder / (std::string(kPrefix) + "XXXXXX")).string();
    fd_.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd_) throw host_error("write " + target.string(), errno);
    temporary_ = name;
    // Between its making and its locking another process may have taken it for a stale one.
    struct stat st;
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(fd_.get(), &st) == 0 && st.st_nlink == 1) break;
  }
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error("write " + target_.string(), errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void AtomicFile::commit(unsigned mode) {
  const std::string attempted = "write " + target_.string();
  // As open(2) would have made it; umask(2) can only be read by setting it, which other threads would see.
  if (::fchmod(fd_.get(), mode) != 0) throw host_error(attempted, errno);
  if (::fdatasync(fd_.get()) != 0 && errno != EINVAL) throw host_error(attempted, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw host_error(attempted, errno);
  temporary_.clear();
  fd_.reset();
}

}  // namespace kdev
