#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>
#include <map>

#include "common/system_error.hpp"
#include "image/archive_reader.hpp"
#include "image/content.hpp"
#include "image/guest_path.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using Type = ImageEntry::Type;

class Unpacker {
 public:
  Unpacker(const Path& file, const Path& dir) : source_(file), reader_(source_, file.string()), file_(file) {
    boost::system::error_code ec;
    fs::create_directories(dir, ec);
    if (ec) throw host_error("make the directory " + dir.string(), ec.value());
    dir_ = fs::canonical(dir).string();  // what leads to it may hold symbolic links, what is below it may not
    // libarchive refuses to go through a symbolic link that it, or anyone, put below: nothing gets out that
    // way.
    int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT;
    if (::geteuid() == 0) flags |= ARCHIVE_EXTRACT_OWNER;
    archive_write_disk_set_options(disk_.get(), flags);
  }

  std::vector<std::string> run() {
    while (reader_.next()) unpack(reader_.entry());
    if (archive_write_close(disk_.get()) != ARCHIVE_OK) fail(file_.string());
    for (const auto& [path, mode] : late_modes_)
      if (::chmod(path.c_str(), mode) != 0) throw host_error("set the mode of " + path, errno);
    return std::move(skipped_);
  }

 private:
  std::string attempted(const std::string& path) const {
    return fmt::format("unpack {} of {}", path, file_.string());
  }

  [[noreturn]] void fail(const std::string& path) const {
    const int error = archive_errno(disk_.get());
    const char* text = archive_error_string(disk_.get());
    // libarchive's own refusals carry -1 or EINVAL; everything else is the file system's.
    if (error > 0 && error != EINVAL && error != ELOOP && error != ENOTDIR)
      throw host_error(attempted(path), error);
    throw FormatError(
        {.attempted = attempted(path), .reason = text ? text : errno_text(error), .hint = "", .log = {}});
  }

  void unpack(const ImageEntry& entry) {
    if (leads_out(entry.path) || leads_out(is_hard_link(entry) ? entry.target : ""))
      throw FormatError({.attempted = attempted(entry.path),
                         .reason = "the path leads out of the archive",
                         .hint = "",
                         .log = {}});
    if (entry.path == "/") return;
    archive_entry* e = reader_.raw();
    const std::string path = dir_ + entry.path;
    archive_entry_set_pathname(e, path.c_str());
    if (is_hard_link(entry)) {
      archive_entry_set_hardlink(e, (dir_ + entry.target).c_str());
      late_modes_.erase(dir_ + entry.target);
      if (!entry.size) archive_entry_unset_size(e);
    } else {
      archive_entry_set_hardlink(e, nullptr);
    }
    if (entry.type == Type::symlink) archive_entry_set_symlink(e, entry.target.c_str());
    // A socket is made in an empty file's place, where libarchive found it safe to make one.
    if (entry.type == Type::socket) archive_entry_set_filetype(e, AE_IFREG);
    if (entry.type != Type::file) archive_entry_set_size(e, 0);
    if (entry.type == Type::file && !is_hard_link(entry) && reader_.link_count() > 1) {
      // Its data may come with its last name, and must then still be writable.
      late_modes_[path] = entry.mode;
      archive_entry_set_perm(e, entry.mode | 0200);
    }
    const int r = archive_write_header(disk_.get(), e);
    if (entry.type == Type::node && r != ARCHIVE_OK &&
        (archive_errno(disk_.get()) == EPERM || ::geteuid() != 0)) {
      skipped_.push_back(entry.path);
      return;
    }
    if (r != ARCHIVE_OK) fail(entry.path);
    if (entry.type == Type::file && entry.size) copy(entry);
    if (archive_write_finish_entry(disk_.get()) != ARCHIVE_OK) fail(entry.path);
    if (entry.type == Type::socket &&
        (::unlink(path.c_str()) != 0 || ::mknod(path.c_str(), S_IFSOCK | entry.mode, 0) != 0))
      throw host_error(attempted(entry.path), errno);
  }

  void copy(const ImageEntry& entry) {
    char buffer[1 << 16];
    while (const std::size_t n = reader_.read(buffer, sizeof buffer))
      if (archive_write_data(disk_.get(), buffer, n) != static_cast<la_ssize_t>(n)) fail(entry.path);
  }

  FileSource source_;
  ArchiveReader reader_;
  Path file_;
  std::string dir_;
  std::unique_ptr<::archive, int (*)(::archive*)> disk_{archive_write_disk_new(), &archive_write_free};
  std::vector<std::string> skipped_;
  std::map<std::string, unsigned> late_modes_;
};

}  // namespace

std::vector<ImageEntry> list_archive(const Path& file) {
  FileSource source(file);
  ArchiveReader reader(source, file.string());
  std::vector<ImageEntry> entries;
  std::map<std::string, std::size_t> files;
  std::vector<std::pair<std::size_t, std::size_t>> links;
  while (reader.next()) {
    const ImageEntry& entry = reader.entry();
    if (entry.path == "/") continue;
    const std::size_t here = entries.size();
    entries.push_back(entry);
    if (entry.type != Type::file) continue;
    if (!is_hard_link(entry)) {
      files[entry.path] = here;
    } else if (const auto first = files.find(entry.target); first != files.end()) {
      links.emplace_back(here, first->second);
    }
  }
  // The data may come with any of its names: each tells the size of the one file.
  for (const auto& [link, first] : links)
    entries[first].size = std::max(entries[first].size, entries[link].size);
  for (const auto& [link, first] : links) entries[link].size = entries[first].size;
  return entries;
}

std::vector<std::string> unpack_archive(const Path& file, const Path& dir) {
  return Unpacker(file, dir).run();
}

}  // namespace kdev
