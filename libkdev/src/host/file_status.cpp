// What files are, on this machine, and their content's digest.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>
#include <memory>
#include <vector>

#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/local_host.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

std::int64_t nanoseconds(const timespec& t) {
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

FileStatus status_of(const struct stat& st) {
  using Type = FileStatus::Type;
  return {.type = S_ISREG(st.st_mode)   ? Type::file
                  : S_ISDIR(st.st_mode) ? Type::directory
                  : S_ISLNK(st.st_mode) ? Type::link
                                        : Type::other,
          .mode = st.st_mode & 07777U,
          .inode = st.st_ino,
          .device = st.st_dev,
          .rdev = st.st_rdev,
          .size = st.st_size,
          .mtime_ns = nanoseconds(st.st_mtim),
          .ctime_ns = nanoseconds(st.st_ctim)};
}

bool means_missing(int error) {
  return error == ENOENT || error == ENOTDIR;
}

}  // namespace

FileStatus LocalHost::status(const Path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) return status_of(st);
  if (means_missing(errno)) return {};
  throw host_error("look at " + path.string(), errno);
}

FileStatus LocalHost::link_status(const Path& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) == 0) return status_of(st);
  if (means_missing(errno)) return {};
  throw host_error("look at " + path.string(), errno);
}

std::vector<DirectoryEntry> LocalHost::entries(const Path& folder) {
  const std::string attempted = "read the folder " + folder.string();
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), &::closedir);  // close-on-exec
  if (!dir) throw host_error(attempted, errno);
  std::vector<DirectoryEntry> found;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (!entry) {
      if (errno) throw host_error(attempted, errno);
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat st {};
    if (::fstatat(::dirfd(dir.get()), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // gone meanwhile
      throw host_error("look at " + (folder / entry->d_name).string(), errno);
    }
    found.push_back({std::string(name), status_of(st)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

Path LocalHost::absolute(const Path& path) {
  return hostfs::absolute(path).lexically_normal();
}

Path LocalHost::canonical(const Path& path) {
  return hostfs::canonical(path);
}

Path LocalHost::read_link(const Path& link) {
  boost::system::error_code error;
  const Path target = boost::filesystem::read_symlink(link, error);
  if (error) throw host_error("read the link " + link.string(), error.value());
  return target;
}

std::optional<FileDigest> LocalHost::digest(const Path& file, bool follow_link, const std::stop_token& stop) {
  const std::string attempted = "read " + file.string();
  // Of a FIFO that somebody put there nothing is waited for.
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow_link ? 0 : O_NOFOLLOW)));
  if (!fd) {
    if (means_missing(errno)) return std::nullopt;
    throw host_error(attempted, errno);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) throw host_error(attempted, errno);
  static thread_local std::vector<char> buffer(1 << 17);
  Digest digest;
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error(attempted, errno);
    if (n == 0) break;
    if (stop.stop_requested())
      throw Interrupted({.attempted = attempted, .reason = "stopped", .hint = "", .log = {}});
    digest.raw({buffer.data(), static_cast<std::size_t>(n)});
  }
  return FileDigest{status_of(st), digest.bytes()};
}

}  // namespace kdev
