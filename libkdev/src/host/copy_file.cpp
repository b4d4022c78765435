// Copies, links, renames and dates of files on this machine.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/local_host.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

void fill(const Path& from, UniqueFd& in, const Path& to, UniqueFd& out, off_t left) {
  const std::string attempted = "copy " + from.string() + " to " + to.string();
  if (::ioctl(out.get(), FICLONE, in.get()) == 0) return;
  while (left > 0) {
    const ssize_t n =
        ::copy_file_range(in.get(), nullptr, out.get(), nullptr, static_cast<std::size_t>(left), 0);
    if (n > 0) {
      left -= n;
      continue;
    }
    if (n == 0)
      throw HostError({.attempted = attempted,
                       .reason = from.string() + " became shorter while it was read",
                       .hint = "",
                       .log = {}});
    if (errno == EINTR) continue;
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
      throw host_error(attempted, errno);
    // Across file systems on an old kernel.
    boost::system::error_code error;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error) throw host_error(attempted, error.value());
    return;
  }
}

}  // namespace

void LocalHost::copy_file(const Path& from, const Path& to) {
  UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) throw host_error("copy " + from.string(), errno);
  struct stat st {};
  if (::fstat(in.get(), &st) != 0) throw host_error("copy " + from.string(), errno);
  UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 0777));
  if (!out) throw host_error("copy to " + to.string(), errno);
  try {
    fill(from, in, to, out, st.st_size);
    // Some file systems tell only now that they are full.
    if (::close(out.release()) != 0) throw host_error("copy to " + to.string(), errno);
  } catch (...) {
    ::unlink(to.c_str());
    throw;
  }
}

void LocalHost::make_link(const Path& target, const Path& link) {
  hostfs::create_symlink(target, link);
}

bool LocalHost::rename(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  if (errno == ENOTEMPTY || errno == EEXIST) return false;
  throw host_error("rename " + from.string() + " to " + to.string(), errno);
}

void LocalHost::set_mode(const Path& path, unsigned mode) {
  if (::chmod(path.c_str(), mode) != 0) throw host_error("change the permissions of " + path.string(), errno);
}

void LocalHost::touch(const Path& path) {
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0) throw host_error("date " + path.string(), errno);
}

}  // namespace kdev
