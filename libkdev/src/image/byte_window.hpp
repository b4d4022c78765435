#pragma once
#include <cstdint>
#include <exception>
#include <kdev/path.hpp>
#include <string>
#include <string_view>

#include "host/unique_fd.hpp"

struct archive;

namespace kdev {

/// Where an archive's bytes come from.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// At most `size` bytes from an absolute position on; 0 at the end. May throw.
  virtual std::size_t read_at(std::uint64_t position, char* to, std::size_t size) = 0;
};

class FileSource final : public ByteSource {
 public:
  /// HostError when it cannot be opened.
  explicit FileSource(const Path& file);
  std::size_t read_at(std::uint64_t position, char* to, std::size_t size) override;

 private:
  Path file_;
  UniqueFd fd_;
};

/// A part of a source and a position in it. libarchive reads ahead of what it uses and does not give back, so
/// the position can go back: at least as far as a reader reads ahead without asking the source again.
class ByteWindow {
 public:
  explicit ByteWindow(ByteSource& source, std::uint64_t start = 0, std::uint64_t limit = UINT64_MAX)
      : source_(source), limit_(limit), base_(start) {}
  std::uint64_t position() const { return base_ + at_; }
  void seek(std::uint64_t position);
  /// The next bytes, at least one unless at the end; the position moves behind them. Valid until the next
  /// call.
  std::string_view take();
  /// The next bytes, at most `size`, fewer only at the end; the position stays. Valid until the next call.
  std::string_view peek(std::size_t size);
  /// Moves behind zero bytes. False at the end.
  bool skip_zeros();

  /// For archive_read_open(): `self` is the window. What the source throws is kept in `failure`.
  static long read_callback(::archive*, void* self, const void** bytes);
  std::exception_ptr failure;

 private:
  bool fill();
  ByteSource& source_;
  std::uint64_t limit_;
  std::string buffer_;
  std::uint64_t base_;  ///< absolute position of the buffer's start
  std::size_t at_ = 0;
};

}  // namespace kdev
