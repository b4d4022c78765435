// Walking a tree on a few threads.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <kdev/error.hpp>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "build/tree_state.hpp"
#include "common/digest.hpp"

namespace kdev {
namespace {

// A file written within this time of being read may be written again without a change of its time stamps:
// their granularity is a timer tick on local file systems, up to 2 s on FAT.
constexpr std::int64_t unsettled_ns = 2'500'000'000;

// How many links to folders out of the tree are followed one in another.
constexpr std::size_t max_followed = 4;

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

HostError cannot_read(const HostError& error) {
  ErrorInfo info = error.info();
  info.attempted = "look at the source tree: " + info.attempted;
  info.hint = "every file of the tree must be readable";
  return HostError(info);
}

/// Folders waiting to be looked at, shared by the threads.
class Walk {
 public:
  Walk(Host& host, const Path& tree, const TreeState& known, const TreeState::Ignore& ignore)
      : host_(host), tree_(tree), canonical_(host.canonical(tree).string()), known_(known), ignore_(ignore) {
    waiting_.push_back({"", {}});
  }

  void work() {
    try {
      while (auto folder = next()) {
        visit(*folder);
        const std::lock_guard lock(mutex_);
        --busy_;
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stop_.request_stop();
      done_ = true;
      changed_.notify_all();
    }
  }

  /// True when all is done; waits at most `ms`.
  bool wait(int ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return done_; });
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
    done_ = true;
    changed_.notify_all();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }
  TreeState::Folders take() { return std::move(folders_); }
  TreeState::Counts counts() const { return counts_; }

 private:
  struct Folder {
    std::string path;  ///< relative, "" for the tree
    std::vector<std::pair<std::uint64_t, std::uint64_t>>
        outside;  ///< device and inode of the followed folders it lies in
  };

  std::optional<Folder> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ || !waiting_.empty() || busy_ == 0; });
    if (done_ || waiting_.empty()) {
      done_ = true;
      changed_.notify_all();
      return std::nullopt;
    }
    Folder folder = std::move(waiting_.back());
    waiting_.pop_back();
    ++busy_;
    return folder;
  }

  /// Empty for a folder that is gone meanwhile.
  std::vector<DirectoryEntry> entries(const Folder& folder) {
    const Path full = folder.path.empty() ? tree_ : tree_ / folder.path;
    try {
      return host_.entries(full);
    } catch (const HostError& error) {
      if (!folder.path.empty() && !host_.exists(full)) return {};
      throw cannot_read(error);
    }
  }

  void visit(const Folder& folder) {
    const auto old = known_.folders().find(folder.path);
    std::vector<FileState> files;  // sorted, as the entries are
    std::vector<Folder> deeper;
    std::size_t read = 0;
    std::string path;
    for (DirectoryEntry& entry : entries(folder)) {
      if (stop_.stop_requested()) return;
      path.assign(folder.path).append(folder.path.empty() ? "" : "/").append(entry.name);
      if (ignore_ && ignore_(path)) continue;
      if (entry.status.is_directory()) {
        deeper.push_back({path, folder.outside});
        continue;
      }
      FileState file;
      file.name = std::move(entry.name);
      fill(file, entry.status);
      if (file.kind == 'l') {
        if (!link(file, path, folder, deeper)) continue;
      } else if (file.kind != 'o') {
        const FileState* before = old == known_.folders().end() ? nullptr : find(old->second, file.name);
        if (before && before->settled && before->same_stat(file)) {
          file.hash = before->hash;
          file.settled = true;
        } else {
          if (!content(file, path)) continue;
          ++read;
        }
      }
      files.push_back(std::move(file));
    }

    const std::lock_guard lock(mutex_);
    for (Folder& next : deeper) waiting_.push_back(std::move(next));
    counts_.files += files.size();
    counts_.read += read;
    if (!files.empty()) folders_.emplace(folder.path, std::move(files));
    changed_.notify_all();
  }

  static const FileState* find(const std::vector<FileState>& files, std::string_view name) {
    const auto at = std::lower_bound(files.begin(), files.end(), name,
                                     [](const FileState& file, std::string_view n) { return file.name < n; });
    return at != files.end() && at->name == name ? &*at : nullptr;
  }

  static void fill(FileState& file, const FileStatus& status) {
    using Type = FileStatus::Type;
    file.kind = status.type == Type::link   ? 'l'
                : status.type != Type::file ? 'o'
                : (status.mode & 0100)      ? 'x'
                                            : 'f';
    file.inode = status.inode;
    file.device = status.device;
    file.size = status.size;
    file.mtime_ns = status.mtime_ns;
    file.ctime_ns = status.ctime_ns;
  }

  /// Reads the bytes. False when the file is gone.
  bool content(FileState& file, const std::string& path) {
    const std::int64_t before = now_ns();
    const std::optional<FileDigest> digest = digest_of(tree_ / path, false);
    if (!digest) return false;
    fill(file, digest->status);  // of the very file that was read
    file.hash = digest->sha256;
    file.settled = std::max(file.mtime_ns, file.ctime_ns) < before - unsettled_ns;
    return true;
  }

  /// Nothing when there is no such file any more.
  std::optional<FileDigest> digest_of(const Path& file, bool follow_link) {
    try {
      return host_.digest(file, follow_link, stop_.get_token());
    } catch (const HostError& error) {
      throw cannot_read(error);
    }
  }

  /// Where a link leads, all links resolved; empty when nowhere (nothing there, a circle).
  std::pair<Path, FileStatus> target_of(const Path& link) {
    try {
      const FileStatus status = host_.status(link);
      if (status.exists()) return {host_.canonical(link), status};
    } catch (const HostError&) {
    }
    return {};
  }

  /// The link's text and, where it leads out of the tree, what it leads to. False when it is gone.
  bool link(FileState& file, const std::string& path, const Folder& folder, std::vector<Folder>& deeper) {
    const Path link = tree_ / path;
    Digest content;
    try {
      content.add(host_.read_link(link).string());
    } catch (const HostError& error) {
      if (!host_.link_status(link).exists()) return false;
      throw cannot_read(error);
    }
    const auto [target, status] = target_of(link);
    const std::string at = target.string();
    if (status.exists() && at != canonical_ && !at.starts_with(canonical_ + "/")) {
      if (status.is_file()) {
        const std::optional<FileDigest> digest = digest_of(target, true);
        if (digest) {
          content.add(
              std::string_view(reinterpret_cast<const char*>(digest->sha256.data()), digest->sha256.size()));
          file.mtime_ns = std::max(file.mtime_ns, digest->status.mtime_ns);
          file.ctime_ns = std::max(file.ctime_ns, digest->status.ctime_ns);
        }
      } else if (status.is_directory()) {
        const std::pair<std::uint64_t, std::uint64_t> id{status.device, status.inode};
        if (folder.outside.size() < max_followed &&
            std::find(folder.outside.begin(), folder.outside.end(), id) == folder.outside.end()) {
          Folder next{path, folder.outside};
          next.outside.push_back(id);
          deeper.push_back(std::move(next));
        }
      }
    }
    file.hash = content.bytes();
    file.settled = false;  // what it leads to is looked at every time
    return true;
  }

  Host& host_;
  const Path& tree_;
  const std::string canonical_;
  const TreeState& known_;
  const TreeState::Ignore& ignore_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Folder> waiting_;
  int busy_ = 0;
  bool done_ = false;
  std::stop_source stop_;
  std::exception_ptr error_;
  TreeState::Folders folders_;
  TreeState::Counts counts_;
};

}  // namespace

TreeState TreeState::scan(Host& host, const Path& tree, const TreeState& known, const Ignore& ignore,
                          const Deadline& deadline, unsigned threads) {
  Walk walk(host, tree, known, ignore);
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < std::max(threads, 1u); ++i) workers.emplace_back([&] { walk.work(); });
    try {
      while (!walk.wait(deadline.slice_ms())) deadline.check("looking at the source tree " + tree.string());
    } catch (...) {
      walk.stop();
      throw;
    }
  }
  walk.rethrow();
  TreeState state;
  state.folders_ = walk.take();
  state.counts_ = walk.counts();
  return state;
}

}  // namespace kdev
