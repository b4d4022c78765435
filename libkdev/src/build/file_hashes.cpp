#include "build/file_hashes.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <ctime>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <sstream>

#include "common/digest.hpp"
#include "common/system_error.hpp"

namespace kdev {

FileHashes::FileHashes(Path file) : file_(std::move(file)) {
  boost::system::error_code error;
  if (!boost::filesystem::exists(file_, error)) return;
  try {
    std::istringstream lines(local_host()->read_file(file_));
    // HASH STAT PATH, one a line; STAT has no spaces.
    for (std::string hash, stat, path; lines >> hash >> stat && lines.get() && std::getline(lines, path);)
      if (hash.size() == 64) entries_[path] = {stat, hash};
  } catch (const HostError&) {
  }
}

std::string FileHashes::of(const Path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) throw host_error("read " + path.string(), errno);
  const std::string stat =
      fmt::format("{}:{}:{}:{}.{:09}:{}.{:09}", st.st_dev, st.st_ino, st.st_size, st.st_mtim.tv_sec,
                  st.st_mtim.tv_nsec, st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
  if (const auto known = entries_.find(path.string()); known != entries_.end() && known->second.stat == stat)
    return known->second.hash;
  const std::time_t now = std::time(nullptr);
  std::string hash = Digest().add_file(path).hex();
  // A file that has only just been written may be written again without a change of its time stamps.
  if (std::max(st.st_mtim.tv_sec, st.st_ctim.tv_sec) < now - 3) {
    entries_[path.string()] = {stat, hash};
    changed_ = true;
  }
  return hash;
}

void FileHashes::save() noexcept {
  if (!changed_) return;
  try {
    std::string text;
    for (const auto& [path, entry] : entries_)
      if (path.find('\n') == path.npos) text += fmt::format("{} {} {}\n", entry.hash, entry.stat, path);
    local_host()->make_directories(file_.parent_path());
    local_host()->write_file(file_, text);
    changed_ = false;
  } catch (const std::exception&) {
  }
}

}  // namespace kdev
