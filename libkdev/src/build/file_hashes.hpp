#pragma once
// Digests of single files that hardly ever change (compilers, linkers), remembered by their stat fields.
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <string>
#include <unordered_map>

namespace kdev {

/// Not thread-safe. save() is atomic; two processes that save lose at most what one of them learnt.
class FileHashes {
 public:
  /// Starts empty when the file is missing or makes no sense.
  FileHashes(Host& host, Path file);
  /// SHA-256 of the file's bytes as hex; links are followed. HostError when it cannot be read.
  std::string of(const Path& path);
  /// Writes when something was learnt. Failing to is not an error: it is but a cache.
  void save() noexcept;

 private:
  Host& host_;
  Path file_;
  struct Entry {
    std::string stat, hash;
  };
  std::unordered_map<std::string, Entry> entries_;
  bool changed_ = false;
};

}  // namespace kdev
