#pragma once
#include <memory>
#include <string>

#include "image/archive_kind.hpp"
#include "image/byte_window.hpp"

namespace kdev {

/// One compressed part of an archive, decompressed by libarchive. It ends where the compressed data ends,
/// whatever comes behind; several members in a row count as one part. To be read once, from the start on.
class Decompressor final : public ByteSource {
 public:
  /// FormatError (naming `name`) when the start is damaged.
  Decompressor(ByteSource& source, std::uint64_t start, ArchiveKind kind, std::string name);
  ~Decompressor() override;
  /// FormatError for damaged data.
  std::size_t read_at(std::uint64_t position, char* to, std::size_t size) override;
  std::uint64_t start() const { return start_; }
  /// Where the compressed data ended in the source. To be asked when read_at() has given 0.
  std::uint64_t end();

 private:
  bool open(std::uint64_t limit);
  bool find_end();
  bool ends_at(std::uint64_t end);
  [[noreturn]] void fail();

  ByteSource& source_;
  std::uint64_t start_;
  ArchiveKind kind_;
  std::string name_;
  std::unique_ptr<ByteWindow> window_;
  std::unique_ptr<::archive, int (*)(::archive*)> a_;
  std::uint64_t given_ = 0;
  bool limited_ = false, ended_ = false;
};

}  // namespace kdev
