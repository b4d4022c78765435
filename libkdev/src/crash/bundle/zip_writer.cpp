#include "crash/bundle/zip_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <kdev/error.hpp>

#include "common/digest.hpp"
#include "common/system_error.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t piece = 1u << 20;

struct Entry {
  archive_entry* it = archive_entry_new();
  Entry() = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { archive_entry_free(it); }
};

[[noreturn]] void failed(::archive* a, const std::string& attempted) {
  const char* text = archive_error_string(a);
  throw HostError(
      {.attempted = attempted, .reason = text ? text : "it cannot be written", .hint = "", .log = {}});
}

/// Calls `take` with the file's content, piece by piece.
template <class Take>
void read_all(int fd, const std::string& attempted, const Deadline& deadline, Take&& take) {
  std::string buffer(piece, '\0');
  for (off_t at = 0;;) {
    deadline.check(attempted);
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error(attempted, errno);
    if (n == 0) return;
    take(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    at += n;
  }
}

}  // namespace

ZipWriter::ZipWriter(int fd, std::string attempted, Deadline deadline)
    : attempted_(std::move(attempted)),
      deadline_(std::move(deadline)),
      archive_(archive_write_new(), &archive_write_free) {
  if (archive_write_set_format_zip(archive_.get()) != ARCHIVE_OK ||
      archive_write_open_fd(archive_.get(), fd) != ARCHIVE_OK)
    fail();
}

ZipWriter::~ZipWriter() = default;

void ZipWriter::fail() const {
  failed(archive_.get(), attempted_);
}

void ZipWriter::header(const std::string& name, std::uint64_t size, bool store) {
  if (store)
    archive_write_zip_set_compression_store(archive_.get());
  else
    archive_write_zip_set_compression_deflate(archive_.get());
  const Entry entry;
  archive_entry_set_pathname(entry.it, name.c_str());
  archive_entry_set_size(entry.it, static_cast<la_int64_t>(size));
  archive_entry_set_filetype(entry.it, AE_IFREG);
  archive_entry_set_perm(entry.it, 0644);
  archive_entry_set_mtime(entry.it, std::time(nullptr), 0);
  if (archive_write_header(archive_.get(), entry.it) != ARCHIVE_OK) fail();
}

void ZipWriter::data(std::string_view bytes) {
  if (!bytes.empty() &&
      archive_write_data(archive_.get(), bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
    fail();
}

ZipMember ZipWriter::add(const std::string& name, std::string_view content) {
  deadline_.check(attempted_);
  header(name, content.size(), false);
  data(content);
  return {.name = name, .size = content.size(), .sha256 = sha256(content)};
}

ZipMember ZipWriter::add_file(const std::string& name, int fd, bool store) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) throw host_error(attempted_, errno);
  header(name, static_cast<std::uint64_t>(st.st_size), store);
  ZipMember member{.name = name, .size = 0, .sha256 = {}};
  Digest digest;
  read_all(fd, attempted_, deadline_, [&](std::string_view bytes) {
    data(bytes);
    digest.raw(bytes);
    member.size += bytes.size();
  });
  member.sha256 = digest.hex();
  return member;
}

void ZipWriter::finish() {
  if (archive_write_close(archive_.get()) != ARCHIVE_OK) fail();
}

void compress_zstd(int from, int to, const std::string& attempted, const Deadline& deadline) {
  const std::unique_ptr<::archive, int (*)(::archive*)> a(archive_write_new(), &archive_write_free);
  const Entry entry;
  archive_entry_set_filetype(entry.it, AE_IFREG);
  if (archive_write_set_format_raw(a.get()) != ARCHIVE_OK ||
      archive_write_add_filter_zstd(a.get()) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(a.get(), 1) != ARCHIVE_OK ||
      archive_write_open_fd(a.get(), to) != ARCHIVE_OK ||
      archive_write_header(a.get(), entry.it) != ARCHIVE_OK)
    failed(a.get(), attempted);
  read_all(from, attempted, deadline, [&](std::string_view bytes) {
    if (archive_write_data(a.get(), bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
      failed(a.get(), attempted);
  });
  if (archive_write_close(a.get()) != ARCHIVE_OK) failed(a.get(), attempted);
}

}  // namespace kdev::crash
