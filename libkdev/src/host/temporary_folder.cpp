#include "host/temporary_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <ctime>

#include "common/system_error.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

// Between a folder's making and its lock.
constexpr std::time_t youngest = 60;
constexpr std::string_view prefix = "kdev-", suffix = ".tmp";

UniqueFd lock(const Path& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 ? std::move(fd) : UniqueFd();
}

void remove_stale(const Path& parent) {
  boost::system::error_code ec;
  for (fs::directory_iterator it(parent, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    boost::system::error_code ignored;
    const std::time_t changed = fs::last_write_time(it->path(), ignored);
    if (ignored || std::time(nullptr) - changed < youngest) continue;
    if (const UniqueFd fd = lock(it->path())) fs::remove_all(it->path(), ignored);
  }
}

}  // namespace

TemporaryFolder::TemporaryFolder(const Path& parent) : path(parent / fs::unique_path("kdev-%%%%%%%%.tmp")) {
  boost::system::error_code ec;
  fs::create_directories(parent, ec);
  remove_stale(parent);
  const std::string attempted = "make the directory " + path.string();
  if (ec) throw host_error(attempted, ec.value());
  if (::mkdir(path.c_str(), 0700) != 0) throw host_error(attempted, errno);
  held_ = lock(path);
}

TemporaryFolder::~TemporaryFolder() {
  boost::system::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace kdev
