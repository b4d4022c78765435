#include "image/archive_reader.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "image/agent.hpp"
#include "image/archive_kind.hpp"
#include "image/decompressor.hpp"
#include "image/guest_path.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;
using Archive = std::unique_ptr<::archive, int (*)(::archive*)>;

/// Header, name and padding of the entry "TRAILER!!!", in newc and in the old portable format.
constexpr la_int64_t kTrailer = 124, kOldTrailer = 87;

Archive new_reader() {
  return {archive_read_new(), &archive_read_free};
}

std::string error_text(::archive* a) {
  const char* text = archive_error_string(a);
  return text ? text : "unknown error";
}

}  // namespace

ArchiveReader::ArchiveReader(ByteSource& source, std::string name)
    : name_(std::move(name)), source_(source), file_(source), cpio_(nullptr, &archive_read_free) {}
ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::fail(std::string reason) const {
  throw FormatError(
      {.attempted = "read the archive " + name_, .reason = std::move(reason), .hint = "", .log = {}});
}

void ArchiveReader::fail_with(::archive* a, const ByteWindow& window) const {
  if (window.failure) std::rethrow_exception(window.failure);
  fail(error_text(a));
}

/// Goes to where the next cpio archive starts. False at the end of everything.
bool ArchiveReader::open_cpio() {
  for (;;) {
    current_ = inner_ ? inner_window_.get() : &file_;
    if (!current_->skip_zeros()) {
      if (!inner_) {
        if (!any_) fail("it is empty");
        return false;
      }
      const std::uint64_t end = inner_->end();
      if (end <= inner_->start()) fail(fmt::format("the compressed part at byte {} is damaged", end));
      inner_window_.reset();
      inner_.reset();
      file_.seek(end);
      continue;
    }
    const ArchiveKind kind = kind_of_bytes(current_->peek(8));
    if (kind == ArchiveKind::cpio) break;
    if (inner_) fail(fmt::format("no cpio archive at byte {} of a compressed part", current_->position()));
    if (kind == ArchiveKind::lzo) fail("it is compressed with lzo, which kdev cannot read");
    if (kind == ArchiveKind::unknown)
      fail(fmt::format("no cpio archive and no known compression at byte {}", current_->position()));
    inner_ = std::make_unique<Decompressor>(source_, file_.position(), kind, name_);
    inner_window_ = std::make_unique<ByteWindow>(*inner_);
  }
  cpio_start_ = current_->position();
  cpio_ = new_reader();
  archive_read_support_format_cpio(cpio_.get());
  if (archive_read_open(cpio_.get(), current_, nullptr, &ByteWindow::read_callback, nullptr) != ARCHIVE_OK)
    fail_with(cpio_.get(), *current_);
  return any_ = true;
}

void ArchiveReader::close_cpio() {
  const std::uint64_t end = cpio_start_ + static_cast<std::uint64_t>(archive_filter_bytes(cpio_.get(), -1));
  cpio_.reset();
  current_->seek(end);
}

bool ArchiveReader::next() {
  for (;;) {
    if (!cpio_ && !open_cpio()) return false;
    if (in_entry_ && archive_read_data_skip(cpio_.get()) != ARCHIVE_OK) fail_with(cpio_.get(), *current_);
    in_entry_ = false;
    const la_int64_t before = archive_filter_bytes(cpio_.get(), -1);
    const int r = archive_read_next_header(cpio_.get(), &raw_);
    // libarchive searches forward for the next thing like a header and warns; before a trailer it does not
    // even warn. The kernel does not search, nor do we.
    if (r == ARCHIVE_EOF) {
      const la_int64_t used = archive_filter_bytes(cpio_.get(), -1) - before;
      if (used != kTrailer && used != kOldTrailer)
        fail(fmt::format("{} stray bytes before a trailer", used - kTrailer));
      close_cpio();
      continue;
    }
    if (r != ARCHIVE_OK || archive_error_string(cpio_.get())) fail_with(cpio_.get(), *current_);
    in_entry_ = true;
    fill_entry();
    return true;
  }
}

unsigned ArchiveReader::link_count() const {
  return archive_entry_nlink(raw_);
}

void ArchiveReader::fill_entry() {
  const char* path = archive_entry_pathname(raw_);
  entry_ = {};
  entry_.path = normal_guest_path(path ? path : "");
  entry_.mode = archive_entry_perm(raw_);
  entry_.uid = static_cast<unsigned>(archive_entry_uid(raw_));
  entry_.gid = static_cast<unsigned>(archive_entry_gid(raw_));
  switch (archive_entry_mode(raw_) & AE_IFMT) {
    case AE_IFREG:
      entry_.size = static_cast<std::uint64_t>(archive_entry_size(raw_));
      if (const char* first = archive_entry_hardlink(raw_)) entry_.target = normal_guest_path(first);
      break;
    case AE_IFDIR:
      entry_.type = Type::dir;
      break;
    case AE_IFLNK:
      entry_.type = Type::symlink;
      // Both in one entry: libarchive lets the hard link win. The kernel knows no hard links of symbolic
      // links.
      if (const char* target = archive_entry_symlink(raw_)) entry_.target = target;
      break;
    case AE_IFIFO:
      entry_.type = Type::pipe;
      break;
    case AE_IFSOCK:
      entry_.type = Type::socket;
      break;
    case AE_IFCHR:
    case AE_IFBLK:
      entry_.type = Type::node;
      entry_.device = (archive_entry_mode(raw_) & AE_IFMT) == AE_IFBLK ? 'b' : 'c';
      entry_.major = static_cast<unsigned>(archive_entry_rdevmajor(raw_));
      entry_.minor = static_cast<unsigned>(archive_entry_rdevminor(raw_));
      break;
    default:
      fail(fmt::format("{} has the unknown mode 0{:o}", entry_.path,
                       static_cast<unsigned>(archive_entry_mode(raw_))));
  }
}

std::size_t ArchiveReader::read(char* to, std::size_t size) {
  const la_ssize_t n = archive_read_data(cpio_.get(), to, size);
  if (n < 0) fail_with(cpio_.get(), *current_);
  return static_cast<std::size_t>(n);
}

std::string ArchiveReader::read_all(std::size_t limit) {
  std::string content(std::min<std::uint64_t>(entry_.size, limit), '\0');
  std::size_t have = 0;
  while (have < content.size()) {
    const std::size_t n = read(content.data() + have, content.size() - have);
    if (!n) break;
    have += n;
  }
  content.resize(have);
  return content;
}

bool archive_has_agent(const Path& file) {
  FileSource source(file);
  ArchiveReader reader(source, file.string());
  bool found = false;  // a later /init replaces an earlier one
  while (reader.next())
    if (reader.entry().path == "/init" && reader.entry().type == Type::file && reader.entry().size)
      found = reader.entry().size <= kMaxAgentSize && looks_like_agent(reader.read_all(kMaxAgentSize));
  return found;
}

}  // namespace kdev
