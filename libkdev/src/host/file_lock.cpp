// Locks on this machine: flock(2).
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "common/system_error.hpp"
#include "host/lease.hpp"
#include "host/local_host.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

class Flock final : public HeldLock {
 public:
  explicit Flock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  UniqueFd fd_;
};

}  // namespace

std::unique_ptr<HeldLock> LocalHost::try_lock(const Path& file, std::string_view sign) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!fd) throw host_error("open the lock " + file.string(), errno);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return nullptr;
    if (errno != EINTR) throw host_error("lock " + file.string(), errno);
  }
  // For people only: a full disk or a short write does no harm.
  if (::ftruncate(fd.get(), 0) == 0 && ::pwrite(fd.get(), sign.data(), sign.size(), 0) < 0) errno = 0;
  return std::make_unique<Flock>(std::move(fd));
}

std::vector<std::string> LocalHost::reap(const Path& lease_dir) {
  return reap_leases(lease_dir);
}

}  // namespace kdev
