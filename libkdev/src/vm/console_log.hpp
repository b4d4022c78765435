#pragma once
#include <mutex>
#include <string>
#include <string_view>

#include <kdev/path.hpp>

#include "host/unique_fd.hpp"

namespace kdev::vm {

/// What a guest's console has shown: all of it in a file, the tail in memory, so that a guest that prints for days costs
/// no memory. Offsets count bytes since the VM's first start. Thread-safe.
class ConsoleLog {
 public:
  /// HostError when the file cannot be made.
  explicit ConsoleLog(const Path& file);
  const Path& file() const { return file_; }
  void append(std::string_view bytes);
  std::size_t size() const;
  /// Bytes [from, to) as far as they are there. When the file could not be written (disk full), what memory still holds.
  std::string read(std::size_t from, std::size_t to = std::string::npos) const;
  /// The last `bytes`, beginning with a whole line.
  std::string tail(std::size_t bytes) const;
  /// The file misses something: the disk was full.
  bool incomplete() const;

 private:
  static constexpr std::size_t memory_limit = 8u << 20;
  Path file_;
  UniqueFd fd_;
  mutable std::mutex mutex_;
  std::string tail_;
  std::size_t size_ = 0;
  bool incomplete_ = false;
};

}  // namespace kdev::vm
