#pragma once
// Files with holes: what takes no space on the host.
#include <cstdint>
#include <kdev/path.hpp>
#include <string>
#include <string_view>

namespace kdev {

/// A new file of holes only. HostError; nothing is left then.
void make_sparse_file(const Path& file, std::uint64_t size);

bool is_zero(std::string_view bytes);

/// Writes blocks of zeros as holes.
class SparseWriter {
 public:
  /// `at`: where it begins in the file, which has only holes from there on.
  SparseWriter(int fd, std::string attempted, std::uint64_t at = 0)
      : fd_(fd), attempted_(std::move(attempted)), at_(at) {}
  /// HostError (disk full).
  void write(std::string_view bytes);
  /// The file ends here.
  void finish();
  /// Where the next byte goes.
  std::uint64_t size() const { return at_; }

 private:
  int fd_;
  std::string attempted_;
  std::uint64_t at_;
};

/// Bytes that a file takes on its disk, which holes do not.
std::uint64_t real_size(const Path& file);

}  // namespace kdev
