#include "build/file_hashes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <kdev/error.hpp>
#include <sstream>

#include "common/digest.hpp"

namespace kdev {

FileHashes::FileHashes(Host& host, Path file) : host_(host), file_(std::move(file)) {
  try {
    if (!host_.exists(file_)) return;
    std::istringstream lines(host_.read_file(file_));
    // HASH STAT PATH, one a line; STAT has no spaces.
    for (std::string hash, stat, path; lines >> hash >> stat && lines.get() && std::getline(lines, path);)
      if (hash.size() == 64) entries_[path] = {stat, hash};
  } catch (const HostError&) {
  }
}

std::string FileHashes::of(const Path& path) {
  const auto text_of = [](const FileStatus& s) {
    return fmt::format("{}:{}:{}:{}:{}", s.device, s.inode, s.size, s.mtime_ns, s.ctime_ns);
  };
  const FileStatus status = host_.status(path);
  if (const auto known = entries_.find(path.string());
      known != entries_.end() && known->second.stat == text_of(status))
    return known->second.hash;
  const std::time_t now = std::time(nullptr);
  const std::optional<FileDigest> digest = host_.digest(path);
  if (!digest)
    throw HostError(
        {.attempted = "read " + path.string(), .reason = "it is not there", .hint = "", .log = {}});
  std::string hash = hex_of({reinterpret_cast<const char*>(digest->sha256.data()), digest->sha256.size()});
  // A file that has only just been written may be written again without a change of its time stamps.
  constexpr std::int64_t second = 1'000'000'000;
  if (std::max(digest->status.mtime_ns, digest->status.ctime_ns) / second < now - 3) {
    entries_[path.string()] = {text_of(digest->status), hash};
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
    host_.make_directories(file_.parent_path());
    host_.write_file(file_, text);
    changed_ = false;
  } catch (const std::exception&) {
  }
}

}  // namespace kdev
