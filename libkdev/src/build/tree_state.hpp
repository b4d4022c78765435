#pragma once
// What a source tree holds at one moment, by content, found fast: a stat of every file, and bytes read only
// where the stat differs from what was seen before (as git's index does it).
#include <array>
#include <cstdint>
#include <functional>
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

using ContentHash = Sha256;

/// One file of a tree. Equal stat fields mean unchanged content only when `settled`.
struct FileState {
  std::string name;  ///< within its folder
  char kind = 'f';   ///< f file, x executable file, l symbolic link, o other (its content is not looked at)
  bool settled =
      false;  ///< last changed well before its content was read: a later write must alter its time stamps
  std::uint64_t inode = 0, device = 0;
  std::int64_t size = 0, mtime_ns = 0, ctime_ns = 0;
  ContentHash hash{};  ///< of the bytes; of a link: its target's text, and the bytes that it leads to

  bool same_stat(const FileState& other) const {
    return kind == other.kind && inode == other.inode && device == other.device && size == other.size &&
           mtime_ns == other.mtime_ns && ctime_ns == other.ctime_ns;
  }
  bool same_content(const FileState& other) const { return kind == other.kind && hash == other.hash; }
};

/// One file that differs between two states of a tree.
struct TreeChange {
  enum class Kind { added, removed, edited } kind = Kind::edited;
  std::string path;           ///< relative to the tree
  std::int64_t mtime_ns = 0;  ///< the file's now; 0 when removed
};

/// A value. The folders' paths are relative to the tree, "" being the tree itself; files are sorted by name.
class TreeState {
 public:
  using Ignore = std::function<bool(std::string_view path)>;
  struct Counts {
    std::size_t files = 0, read = 0;  ///< `read`: whose bytes had to be read
  };

  /// Looks at the whole tree. `known` is an earlier state (may be empty). Threads: how many stat and read
  /// files. HostError names a file that cannot be read. A tree that changes meanwhile gives what was there
  /// when each file was looked at. Links that lead out of the tree are followed; their content counts.
  static TreeState scan(Host& host, const Path& tree, const TreeState& known, const Ignore& ignore,
                        const Deadline& deadline, unsigned threads = 2);

  /// Digest over all files whose path `accept` takes (all, when empty): names, kinds and content, no time
  /// stamps.
  std::string digest(const std::function<bool(std::string_view path)>& accept = {}) const;

  /// Over paths and kinds alone.
  std::string name_digest(const std::function<bool(std::string_view path)>& accept) const;

  /// By content.
  std::vector<TreeChange> changes_since(const TreeState& older) const;
  /// Nothing was so much as written to between the two: all stat fields alike.
  bool untouched_since(const TreeState& older) const;

  /// An empty state when the file is missing, cut off, of another version or damaged.
  static TreeState load(Host& host, const Path& file);
  /// Atomic. HostError.
  void save(Host& host, const Path& file) const;

  const Counts& counts() const { return counts_; }
  bool empty() const { return folders_.empty(); }

  using Folders = std::map<std::string, std::vector<FileState>, std::less<>>;
  const Folders& folders() const { return folders_; }

 private:
  Folders folders_;
  Counts counts_;
};

}  // namespace kdev
