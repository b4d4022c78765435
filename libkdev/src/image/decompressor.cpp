#include "image/decompressor.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <vector>

namespace kdev {
namespace {

using Archive = std::unique_ptr<::archive, int (*)(::archive*)>;

Archive new_reader() {
  Archive a(archive_read_new(), &archive_read_free);
  archive_read_support_filter_gzip(a.get());
  archive_read_support_filter_bzip2(a.get());
  archive_read_support_filter_lzma(a.get());
  archive_read_support_filter_xz(a.get());
  archive_read_support_filter_lz4(a.get());
  archive_read_support_filter_zstd(a.get());
  archive_read_support_format_raw(a.get());
  archive_read_support_format_empty(a.get());
  return a;
}

/// False when it cannot be opened; an empty part is fine (`ended`).
bool open_raw(::archive* a, ByteWindow& window, bool& ended) {
  if (archive_read_open(a, &window, nullptr, &ByteWindow::read_callback, nullptr) != ARCHIVE_OK) return false;
  archive_entry* e = nullptr;
  const int r = archive_read_next_header(a, &e);
  ended = r == ARCHIVE_EOF;
  // One filter is the source itself: none of the others knew the data.
  return ended || (r == ARCHIVE_OK && archive_filter_count(a) > 1);
}

}  // namespace

Decompressor::Decompressor(ByteSource& source, std::uint64_t start, ArchiveKind kind, std::string name)
    : source_(source), start_(start), kind_(kind), name_(std::move(name)), a_(nullptr, &archive_read_free) {
  if (!open(UINT64_MAX) && (window_->failure || !find_end())) fail();
}

Decompressor::~Decompressor() = default;

bool Decompressor::open(std::uint64_t limit) {
  a_.reset();
  window_ = std::make_unique<ByteWindow>(source_, start_, limit);
  a_ = new_reader();
  return open_raw(a_.get(), *window_, ended_);
}

void Decompressor::fail() {
  if (window_->failure) std::rethrow_exception(window_->failure);
  const char* text = archive_error_string(a_.get());
  throw FormatError(
      {.attempted = "read the archive " + name_,
       .reason = fmt::format("the compressed part at byte {}: {}", start_, text ? text : "it is damaged"),
       .hint = "",
       .log = {}});
}

std::size_t Decompressor::read_at(std::uint64_t, char* to, std::size_t size) {
  if (ended_) return 0;
  const la_ssize_t n = archive_read_data(a_.get(), to, size);
  if (n > 0) {
    given_ += static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }
  if (n == 0) {
    ended_ = true;
    return 0;
  }
  if (window_->failure || limited_ || !find_end()) fail();
  return read_at(given_, to, size);
}

/// Some filters (xz, zstd) take whatever follows their last member for a broken one, and lose what they had
/// decompressed just before. The kernel takes it for the next archive. So: look where one may start, and
/// begin again with that as the limit. True when there is such an end; then the reading goes on where it
/// stopped.
bool Decompressor::find_end() {
  if (kind_ != ArchiveKind::xz && kind_ != ArchiveKind::zstd) return false;
  // Up to here all was good; the filters get at most 64 KiB at once, so the end is not far behind.
  const std::uint64_t good =
      start_ + static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(a_.get(), -1), 0));
  ByteWindow ahead(source_, good);
  const std::string text(ahead.peek(1 << 18));
  std::vector<std::uint64_t> ends;
  auto add = [&](std::size_t next) {
    // Zero bytes before what comes next are padding; a few may be the compressed data's own last ones.
    const std::size_t last = next ? text.find_last_not_of('\0', next - 1) : std::string::npos;
    const std::size_t after = last == std::string::npos ? 0 : last + 1;
    for (std::size_t end = after; end <= std::min(next, after + 3); ++end) ends.push_back(good + end);
  };
  for (std::size_t at = 0; at < text.size(); ++at)
    if (kind_of_bytes(std::string_view(text).substr(at, 8)) != ArchiveKind::unknown) add(at);
  add(text.size());
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  if (ends.size() > 24) ends.resize(24);  // each costs decompressing the whole part
  const auto found =
      std::find_if(ends.begin(), ends.end(), [&](std::uint64_t end) { return end > start_ && ends_at(end); });
  if (found == ends.end()) return false;
  limited_ = true;
  if (!open(*found)) fail();
  std::string waste(1 << 16, '\0');
  for (std::uint64_t left = given_; left;) {
    const la_ssize_t n =
        archive_read_data(a_.get(), waste.data(), std::min<std::uint64_t>(left, waste.size()));
    if (n <= 0) fail();
    left -= static_cast<std::uint64_t>(n);
  }
  return true;
}

bool Decompressor::ends_at(std::uint64_t end) {
  ByteWindow window(source_, start_, end);
  const Archive a = new_reader();
  bool ended = false;
  if (!open_raw(a.get(), window, ended)) return false;
  std::string waste(1 << 16, '\0');
  la_ssize_t n = ended ? 0 : 1;
  while (n > 0) n = archive_read_data(a.get(), waste.data(), waste.size());
  return n == 0;
}

std::uint64_t Decompressor::end() {
  const std::uint64_t end = start_ + static_cast<std::uint64_t>(archive_filter_bytes(a_.get(), -1));
  if (kind_ != ArchiveKind::lz4 || end < start_ + 4) return end;
  // The lz4 filter has also used the first four bytes of what follows, to see that it is not lz4's.
  ByteWindow window(source_, end - 4);
  if (!window.skip_zeros()) return end;
  return kind_of_bytes(window.peek(8)) == ArchiveKind::unknown ? end : end - 4;
}

}  // namespace kdev
