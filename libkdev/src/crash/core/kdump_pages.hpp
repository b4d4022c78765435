#pragma once
// The pages of a kdump-compressed file (kdump_format.hpp), found by its bitmap and descriptors.
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "crash/core/kdump_format.hpp"
#include "crash/core/media.hpp"

namespace kdev::crash {

/// Expands a page that was packed so: `to` has room for a page, and is full afterwards. False: it is damaged,
/// or packed in a way that is not known here.
bool expand_kdump_page(std::uint32_t flags, std::string_view packed, char* to);
/// LZO's library is there (liblzo2, loaded when the first page needs it).
bool can_expand_lzo();

/// Thread-safe. Only what a page in question says is believed of it, when it is read.
class KdumpPages {
 public:
  struct Layout {
    std::uint64_t written_at = 0;               ///< where the second bitmap begins
    std::uint64_t descriptors_at = 0;           ///< ... and ends
    std::uint64_t first = 0, end = UINT64_MAX;  ///< pages whose descriptors are in this file
  };
  /// Reads through bitmap and descriptors, for problems() and to find pages faster.
  KdumpPages(const FileBytes& bytes, const Layout& layout);

  /// A part of a page. False: it is not in the file, or damaged.
  bool read(std::uint64_t page, std::size_t from, void* to, std::size_t size) const;
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Kept {
    std::uint64_t page = UINT64_MAX;
    std::array<char, kdump_page> bytes{};
  };
  /// Bits of pages that this file has. Empty: cut off.
  std::vector<std::uint64_t> bitmap_block(std::uint64_t block) const;
  bool expand(std::uint64_t page, char* to) const;

  const FileBytes& bytes_;
  Layout layout_;
  /// Of each block of the bitmap, from that of Layout::first on: how many descriptors come before its own.
  std::vector<std::uint64_t> before_;
  std::uint64_t described_ = UINT64_MAX;  ///< from this page on, descriptors are cut off
  std::vector<std::string> problems_;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::vector<std::unique_ptr<Kept>> kept_;
  mutable std::uint64_t block_ = UINT64_MAX;  // whose bits `bits_` has
  mutable std::vector<std::uint64_t> bits_;
};

}  // namespace kdev::crash
