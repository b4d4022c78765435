#pragma once
// The folder in which symbol indexes are kept. Processes share it: a file appears whole or not at all, and
// one that is in use may be removed.
#include <cstdint>
#include <kdev/path.hpp>
#include <string>
#include <string_view>

#include "common/elf_file.hpp"

namespace kdev::crash {

/// $XDG_CACHE_HOME/kdev/symbols, ~/.cache/kdev/symbols; empty: there is no place for one.
Path default_index_folder();

/// What an index is of, 64 hex digits: the build id, and the facts in which a file that was stripped, or
/// built again with a forced id, differs. Empty: the file has no build id.
std::string describe(const ElfFile& file);

/// The index's file in a folder.
Path index_path(const Path& folder, const ElfFile& file, std::string_view described);

/// Marks an index as used, for prune_indexes().
void touch_index(const Path& path);

/// Whoever makes an index in a folder holds it, so that nobody makes the same one beside. Waits; ends with
/// the process. It saves work and no more: after a minute, and on file systems without locks, it is done
/// without. Makes the folder; HostError, Interrupted.
class IndexLock {
 public:
  explicit IndexLock(const Path& folder);
  ~IndexLock();
  IndexLock(const IndexLock&) = delete;

 private:
  int fd_ = -1;
};

/// HostError when it cannot be written. Then removes the indexes that were not used for longest, to the
/// limits.
void store_index(const Path& path, std::string_view bytes);

constexpr std::uintmax_t most_index_bytes = std::uintmax_t{2} << 30;
constexpr std::size_t most_indexes = 1000;  // modules have theirs, too
/// `keep` stays in any case.
void prune_indexes(const Path& folder, const Path& keep, std::uintmax_t most_bytes = most_index_bytes,
                   std::size_t most = most_indexes);

}  // namespace kdev::crash
