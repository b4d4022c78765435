// Walking a tree with openat and fstatat on a few threads.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <exception>
#include <kdev/error.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "build/tree_state.hpp"
#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "host/hostfs.hpp"
#include "host/unique_fd.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

// A file written within this time of being read may be written again without a change of its time stamps:
// their granularity is a timer tick on local file systems, up to 2 s on FAT.
constexpr std::int64_t unsettled_ns = 2'500'000'000;

// How many links to folders out of the tree are followed one in another.
constexpr std::size_t max_followed = 4;

std::int64_t nanoseconds(const timespec& t) {
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return nanoseconds(t);
}

class Hasher {
 public:
  Hasher() : buffer_(1 << 17) {}
  void add(std::string_view bytes) { digest_.raw(bytes); }
  /// Errno, or 0.
  int add_file(int fd, const std::atomic<bool>& stop) {
    for (;;) {
      const ssize_t n = ::read(fd, buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0 || stop) return 0;
      add({buffer_.data(), static_cast<std::size_t>(n)});
    }
  }
  ContentHash finish() { return digest_.bytes(); }

 private:
  Digest digest_;
  std::vector<char> buffer_;
};

HostError cannot_read(const Path& path, int error) {
  ErrorInfo info = host_error("look at the source tree: read " + path.string(), error).info();
  info.hint = "every file of the tree must be readable";
  return HostError(info);
}

/// Folders waiting to be looked at, shared by the threads.
class Walk {
 public:
  Walk(const Path& tree, const TreeState& known, const TreeState::Ignore& ignore)
      : tree_(tree), canonical_(hostfs::canonical(tree).string()), known_(known), ignore_(ignore) {
    waiting_.push_back({"", {}});
  }

  void work() {
    Hasher hasher;
    try {
      while (auto folder = next()) {
        visit(*folder, hasher);
        const std::lock_guard lock(mutex_);
        --busy_;
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stop_ = true;
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
    stop_ = true;
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

  void visit(const Folder& folder, Hasher& hasher) {
    const Path full = folder.path.empty() ? tree_ : tree_ / folder.path;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(full.c_str()), &::closedir);  // close-on-exec
    if (!dir) {
      if (errno == ENOENT && !folder.path.empty()) return;  // gone meanwhile
      throw cannot_read(full, errno);
    }
    const int fd = ::dirfd(dir.get());

    const auto old = known_.folders().find(folder.path);
    std::vector<FileState> files;
    std::vector<Folder> deeper;
    std::size_t read = 0;
    std::string path;
    while (!stop_) {
      errno = 0;
      const dirent* entry = ::readdir(dir.get());
      if (!entry) {
        if (errno) throw cannot_read(full, errno);
        break;
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      path.assign(folder.path).append(folder.path.empty() ? "" : "/").append(name);
      if (ignore_ && ignore_(path)) continue;
      struct stat st {};
      if (::fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        throw cannot_read(tree_ / path, errno);
      }
      if (S_ISDIR(st.st_mode)) {
        deeper.push_back({path, folder.outside});
        continue;
      }
      FileState file;
      file.name = name;
      fill(file, st);
      if (file.kind == 'l') {
        if (!link(file, fd, path, folder, deeper, hasher)) continue;
      } else if (file.kind != 'o') {
        const FileState* before = old == known_.folders().end() ? nullptr : find(old->second, name);
        if (before && before->settled && before->same_stat(file)) {
          file.hash = before->hash;
          file.settled = true;
        } else {
          if (!content(file, fd, entry->d_name, path, hasher)) continue;
          ++read;
        }
      }
      files.push_back(std::move(file));
    }
    std::sort(files.begin(), files.end(),
              [](const FileState& a, const FileState& b) { return a.name < b.name; });

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

  static void fill(FileState& file, const struct stat& st) {
    file.kind = S_ISLNK(st.st_mode) ? 'l' : !S_ISREG(st.st_mode) ? 'o' : (st.st_mode & S_IXUSR) ? 'x' : 'f';
    file.inode = st.st_ino;
    file.device = st.st_dev;
    file.size = st.st_size;
    file.mtime_ns = nanoseconds(st.st_mtim);
    file.ctime_ns = nanoseconds(st.st_ctim);
  }

  /// Reads the bytes. False when the file is gone.
  bool content(FileState& file, int dir, const char* name, const std::string& path, Hasher& hasher) {
    UniqueFd fd(::openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
      if (errno == ENOENT) return false;
      throw cannot_read(tree_ / path, errno);
    }
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) throw cannot_read(tree_ / path, errno);
    fill(file, st);  // of the very file that is read
    const std::int64_t before = now_ns();
    if (const int error = hasher.add_file(fd.get(), stop_)) throw cannot_read(tree_ / path, error);
    file.hash = hasher.finish();
    file.settled = std::max(file.mtime_ns, file.ctime_ns) < before - unsettled_ns;
    return true;
  }

  /// The link's text and, where it leads out of the tree, what it leads to. False when it is gone.
  bool link(FileState& file, int dir, const std::string& path, const Folder& folder,
            std::vector<Folder>& deeper, Hasher& hasher) {
    char text[4096];
    const ssize_t length = ::readlinkat(dir, file.name.c_str(), text, sizeof text);
    if (length < 0) {
      if (errno == ENOENT) return false;
      throw cannot_read(tree_ / path, errno);
    }
    hasher.add({text, static_cast<std::size_t>(length)});
    boost::system::error_code error;
    const std::string target = fs::canonical(tree_ / path, error).string();
    const bool inside = target == canonical_ || target.starts_with(canonical_ + "/");
    struct stat st {};
    if (!error && !inside && ::stat(target.c_str(), &st) == 0) {
      if (S_ISREG(st.st_mode)) {
        UniqueFd fd(::open(target.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!fd) throw cannot_read(target, errno);
        hasher.add({"\0", 1});
        if (const int failed = hasher.add_file(fd.get(), stop_)) throw cannot_read(target, failed);
        file.mtime_ns = std::max(file.mtime_ns, nanoseconds(st.st_mtim));
        file.ctime_ns = std::max(file.ctime_ns, nanoseconds(st.st_ctim));
      } else if (S_ISDIR(st.st_mode)) {
        const std::pair<std::uint64_t, std::uint64_t> id{st.st_dev, st.st_ino};
        if (folder.outside.size() < max_followed &&
            std::find(folder.outside.begin(), folder.outside.end(), id) == folder.outside.end()) {
          Folder next{path, folder.outside};
          next.outside.push_back(id);
          deeper.push_back(std::move(next));
        }
      }
    }
    file.hash = hasher.finish();
    file.settled = false;  // what it leads to is looked at every time
    return true;
  }

  const Path& tree_;
  const std::string canonical_;
  const TreeState& known_;
  const TreeState::Ignore& ignore_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Folder> waiting_;
  int busy_ = 0;
  bool done_ = false;
  std::atomic<bool> stop_ = false;
  std::exception_ptr error_;
  TreeState::Folders folders_;
  TreeState::Counts counts_;
};

}  // namespace

TreeState TreeState::scan(const Path& tree, const TreeState& known, const Ignore& ignore,
                          const Deadline& deadline, unsigned threads) {
  Walk walk(tree, known, ignore);
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
