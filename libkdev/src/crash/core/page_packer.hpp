#pragma once
#include <cstdint>
#include <kdev/core.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace kdev::crash {

/// Compresses pages one by one, fast rather than small. Not thread-safe.
class PagePacker {
 public:
  explicit PagePacker(KdumpCompression compression);
  ~PagePacker();
  /// Flag of KdumpPage.
  std::uint32_t flag() const;
  /// Lives until the next call. Empty: packed it would be no smaller.
  std::string_view pack(std::string_view page);

 private:
  struct Streams;
  std::unique_ptr<Streams> streams_;
  KdumpCompression compression_;
  std::string buffer_;
};

}  // namespace kdev::crash
