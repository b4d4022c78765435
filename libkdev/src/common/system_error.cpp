#include "common/system_error.hpp"

#include <cerrno>
#include <system_error>

namespace kdev {
namespace {

std::string hint_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space on that file system";
    case EMFILE:
      return "raise the limit of open files (ulimit -n)";
    case EACCES:
    case EPERM:
      return "check owner and permissions, or run as a user who may do this";
    case EROFS:
      return "that file system is read-only: use another place";
    case EAGAIN:
      return "raise the limit of processes (ulimit -u)";
    default:
      return "";
  }
}

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

HostError host_error(std::string attempted, int error, Path log) {
  return HostError({.attempted = std::move(attempted),
                    .reason = errno_text(error),
                    .hint = hint_for(error),
                    .log = std::move(log)});
}

}  // namespace kdev
