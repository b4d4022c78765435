#include "host/unix_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <kdev/error.hpp>

#include "common/system_error.hpp"

namespace kdev {
namespace {

/// The directory, open, and the short address of a name in it.
struct Address {
  UniqueFd dir;
  sockaddr_un address = {};

  Address(const Path& path, const std::string& name, const std::string& attempted) {
    if (name.empty() || name.find('/') != std::string::npos)
      throw HostError({.attempted = attempted,
                       .reason = fmt::format("'{}' is no file name", name),
                       .hint = "",
                       .log = {}});
    dir.reset(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!dir) throw host_error(attempted, errno);
    const std::string text = fmt::format("/proc/self/fd/{}/{}", dir.get(), name);
    if (text.size() >= sizeof address.sun_path) throw host_error(attempted, ENAMETOOLONG);
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

UniqueFd new_socket(const std::string& attempted) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw host_error(attempted, errno);
  return fd;
}

}  // namespace

UniqueFd listen_unix(const Path& dir, const std::string& name, int backlog) {
  const std::string attempted = "listen on " + (dir / name).string();
  const Address address(dir, name, attempted);
  UniqueFd fd = new_socket(attempted);
  struct stat st;
  if (::fstatat(address.dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISSOCK(st.st_mode)) throw host_error(attempted, EEXIST);
    ::unlinkat(address.dir.get(), name.c_str(), 0);
  }
  // Before bind(), so that the file never has more than these rights; unlike umask(2) this touches no other
  // thread.
  if (::fchmod(fd.get(), 0600) != 0) throw host_error(attempted, errno);
  if (::bind(fd.get(), address.get(), sizeof address.address) != 0) throw host_error(attempted, errno);
  if (::fchmodat(address.dir.get(), name.c_str(), 0600, 0) != 0 || ::listen(fd.get(), backlog) != 0) {
    const int error = errno;
    ::unlinkat(address.dir.get(), name.c_str(), 0);
    throw host_error(attempted, error);
  }
  return fd;
}

UniqueFd connect_unix(const Path& dir, const std::string& name) {
  const std::string attempted = "connect to " + (dir / name).string();
  const Address address(dir, name, attempted);
  UniqueFd fd = new_socket(attempted);
  while (::connect(fd.get(), address.get(), sizeof address.address) != 0)
    if (errno != EINTR) throw host_error(attempted, errno);
  return fd;
}

}  // namespace kdev
