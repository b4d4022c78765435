#include "crash/bundle/zip_reader.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <kdev/error.hpp>
#include <memory>

namespace kdev::crash {
namespace {

constexpr int max_members = 200'000;
constexpr std::size_t piece = 1u << 18;

using Archive = std::unique_ptr<::archive, int (*)(::archive*)>;

[[noreturn]] void refuse(const std::string& attempted, std::string reason) {
  throw FormatError({.attempted = attempted, .reason = std::move(reason), .hint = "", .log = {}});
}

std::string failure(::archive* a) {
  const char* text = archive_error_string(a);
  return text ? text : "it is damaged";
}

/// A file description of its own: the descriptor's place is nobody's.
void open_again(::archive* a, int fd, const std::string& attempted) {
  if (archive_read_open_filename(a, fmt::format("/proc/self/fd/{}", fd).c_str(), piece) != ARCHIVE_OK)
    refuse(attempted, failure(a));
}

void copy_content(::archive* a, const std::string& attempted, const Deadline& deadline, const ZipSink& take) {
  std::string buffer(piece, '\0');
  for (;;) {
    deadline.check(attempted);
    const la_ssize_t n = archive_read_data(a, buffer.data(), buffer.size());
    if (n == 0) return;
    if (n < 0) refuse(attempted, failure(a));
    take({buffer.data(), static_cast<std::size_t>(n)});
  }
}

}  // namespace

void read_zip(int fd, const std::string& attempted, const Deadline& deadline,
              const std::function<ZipSink(const std::string& name)>& wanted) {
  const Archive a(archive_read_new(), &archive_read_free);
  archive_read_support_format_zip_seekable(a.get());
  open_again(a.get(), fd, attempted);
  for (int members = 0;; ++members) {
    deadline.check(attempted);
    archive_entry* entry = nullptr;
    const int r = archive_read_next_header(a.get(), &entry);
    if (r == ARCHIVE_EOF) return;
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN) refuse(attempted, failure(a.get()));
    if (members == max_members) refuse(attempted, fmt::format("it has more than {} members", max_members));
    const char* name = archive_entry_pathname(entry);
    if (!name || archive_entry_filetype(entry) != AE_IFREG) continue;
    if (const ZipSink take = wanted(name)) copy_content(a.get(), attempted, deadline, take);
  }
}

void expand_zstd(int fd, const std::string& attempted, const Deadline& deadline, const ZipSink& take) {
  const Archive a(archive_read_new(), &archive_read_free);
  archive_read_support_filter_zstd(a.get());
  archive_read_support_format_raw(a.get());
  open_again(a.get(), fd, attempted);
  archive_entry* entry = nullptr;
  if (archive_read_next_header(a.get(), &entry) != ARCHIVE_OK) refuse(attempted, failure(a.get()));
  // Without a filter it would be taken as it is.
  if (archive_filter_code(a.get(), 0) != ARCHIVE_FILTER_ZSTD)
    refuse(attempted, "it has something else where zstd should be");
  copy_content(a.get(), attempted, deadline, take);
}

}  // namespace kdev::crash
