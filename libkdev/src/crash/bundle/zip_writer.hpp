#pragma once
#include <kdev/deadline.hpp>
#include <kdev/path.hpp>
#include <memory>
#include <string>
#include <string_view>

struct archive;

namespace kdev::crash {

/// A member that was written.
struct ZipMember {
  std::string name;
  std::uint64_t size = 0;  ///< bytes of its content
  std::string sha256;      ///< of its content
};

/// Writes a zip archive to a descriptor, by libarchive. HostError (disk full), TimeoutError, Interrupted.
class ZipWriter {
 public:
  ZipWriter(int fd, std::string attempted, Deadline deadline);
  ~ZipWriter();
  /// Compressed, if only as zip does it.
  ZipMember add(const std::string& name, std::string_view content);
  /// A file's content: as it is (`store`: it is compressed already), or compressed.
  ZipMember add_file(const std::string& name, int fd, bool store);
  void finish();

 private:
  void header(const std::string& name, std::uint64_t size, bool store);
  void data(std::string_view bytes);
  [[noreturn]] void fail() const;

  std::string attempted_;
  Deadline deadline_;
  std::unique_ptr<::archive, int (*)(::archive*)> archive_;
};

/// Copies a file, compressed by zstd, to another. Likewise.
void compress_zstd(int from, int to, const std::string& attempted, const Deadline& deadline);

}  // namespace kdev::crash
