#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdio>

#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/local_host.hpp"
#include "host/output.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

/// Files that are knobs of the kernel: no second file can be put beside them.
bool is_kernel_file(const Path& path) {
  struct statfs f;
  if (::statfs(path.c_str(), &f) != 0) return false;
  switch (static_cast<unsigned long>(f.f_type)) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case SECURITYFS_MAGIC:
    case 0x62656570:  // CONFIGFS_MAGIC, fs/configfs/mount.c
      return true;
    default:
      return false;
  }
}

void write_in_place(const Path& path, std::string_view content) {
  const std::string attempted = "write " + path.string();
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd) throw host_error(attempted, errno);
  if (int error = write_all(fd.get(), content)) throw host_error(attempted, error);
}

/// A new file beside another, removed unless it has been renamed.
class Temporary {
 public:
  explicit Temporary(const Path& target) {
    static std::atomic<unsigned> counter{0};
    for (;;) {
      path_ = target.parent_path() /
              fmt::format(".{}.{}.{}.tmp", target.filename().string().substr(0, 200), ::getpid(), counter++);
      // open() rather than mkstemp(): the process's umask applies.
      fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (fd_) return;
      if (errno != EEXIST) {
        const int error = errno;
        path_.clear();
        throw host_error("write " + target.string(), error);
      }
    }
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  int fd() const { return fd_.get(); }
  /// An errno, or 0: some file systems tell only now that they are full.
  int close() { return ::close(fd_.release()) == 0 ? 0 : errno; }
  int rename_to(const Path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) return errno;
    path_.clear();
    return 0;
  }

 private:
  Path path_;
  UniqueFd fd_;
};

}  // namespace

std::string LocalHost::read_file(const Path& path) {
  const std::string attempted = "read " + path.string();
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw host_error(attempted, errno);
  struct stat st;
  std::string content;
  // The size is only a guess: files in /proc say 0, others grow.
  if (::fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode))
    content.reserve(static_cast<std::size_t>(st.st_size) + 1);
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error(attempted, errno);
    if (n == 0) return content;
    content.append(buffer, static_cast<std::size_t>(n));
  }
}

void LocalHost::write_file(const Path& path, std::string_view content) {
  const std::string attempted = "write " + path.string();
  struct stat st;
  const bool there = ::stat(path.c_str(), &st) == 0;
  if (there && S_ISDIR(st.st_mode)) throw host_error(attempted, EISDIR);
  if (there && (!S_ISREG(st.st_mode) || is_kernel_file(path))) return write_in_place(path, content);
  // Through a symbolic link: the file it names is replaced, not the link.
  const Path target = there ? hostfs::canonical(path) : hostfs::absolute(path);
  Temporary temporary(target);
  if (int error = write_all(temporary.fd(), content)) throw host_error(attempted, error);
  if (there && ::fchmod(temporary.fd(), st.st_mode & 07777) != 0) throw host_error(attempted, errno);
  if (int error = temporary.close()) throw host_error(attempted, error);
  if (int error = temporary.rename_to(target)) throw host_error(attempted, error);
}

void LocalHost::make_directories(const Path& path) {
  boost::system::error_code ec;
  fs::create_directories(path, ec);
  if (ec) throw host_error("make the folder " + path.string(), ec.value());
}

void LocalHost::remove_all(const Path& path) {
  boost::system::error_code ec;
  fs::remove_all(path, ec);
  if (ec) throw host_error("remove " + path.string(), ec.value());
}

}  // namespace kdev
