#pragma once
// Files with holes: what takes no space on the host.
#include <cstdint>
#include <kdev/path.hpp>
#include <string>
#include <string_view>

namespace kdev {

/// A new file of holes only. HostError; nothing is left then.
void make_sparse_file(const Path& file, std::uint64_t size);

/// Writes blocks of zeros as holes.
class SparseWriter {
 public:
  SparseWriter(int fd, std::string attempted) : fd_(fd), attempted_(std::move(attempted)) {}
  /// HostError (disk full).
  void write(std::string_view bytes);
  /// The file gets its full size.
  void finish();
  std::uint64_t size() const { return at_; }

 private:
  int fd_;
  std::string attempted_;
  std::uint64_t at_ = 0;
};

/// Bytes that a file takes on its disk, which holes do not.
std::uint64_t real_size(const Path& file);

}  // namespace kdev
