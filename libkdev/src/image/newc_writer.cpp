#include "image/newc_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <exception>
#include <kdev/error.hpp>
#include <map>
#include <memory>

#include "image/content.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;

/// A file's inode, and how many of its names have not been written yet.
struct Node {
  unsigned inode = 0, names = 1, left = 1;
  const ImageEntry* data = nullptr;
};

/// The C library calls back; exceptions wait here until it has returned.
struct Output {
  const ByteSink& sink;
  std::exception_ptr failure;

  static la_ssize_t write(archive*, void* self, const void* bytes, std::size_t length) {
    auto* out = static_cast<Output*>(self);
    try {
      if (out->failure) return -1;
      out->sink({static_cast<const char*>(bytes), length});
      return static_cast<la_ssize_t>(length);
    } catch (...) {
      out->failure = std::current_exception();
      return -1;
    }
  }
};

class Writer {
 public:
  Writer(Compression compression, const Path& base_archive, const ByteSink& sink, const Deadline& deadline)
      : output_{sink, nullptr}, key_(compression, base_archive), deadline_(deadline) {
    check(archive_write_set_format_cpio_newc(a_.get()));
    if (compression == Compression::gzip) {
      check(archive_write_add_filter_gzip(a_.get()));
      check(archive_write_set_filter_option(a_.get(), "gzip", "timestamp", nullptr));
    } else if (compression == Compression::zstd) {
      check(archive_write_add_filter_zstd(a_.get()));
    }
    check(archive_write_set_bytes_per_block(a_.get(), 1 << 16));
    check(archive_write_set_bytes_in_last_block(a_.get(), 1));
    check(archive_write_open(a_.get(), &output_, nullptr, &Output::write, nullptr));
  }

  std::string write(const std::vector<ImageEntry>& entries) {
    count_names(entries);
    for (const ImageEntry& entry : entries) add(entry);
    check(archive_write_close(a_.get()));
    return key_.hex();
  }

 private:
  void check(int result) {
    if (output_.failure) std::rethrow_exception(output_.failure);
    if (result != ARCHIVE_OK)
      throw HostError(
          {.attempted = "write an image", .reason = archive_error_string(a_.get()), .hint = "", .log = {}});
  }

  void count_names(const std::vector<ImageEntry>& entries) {
    unsigned next = 1;
    for (const ImageEntry& entry : entries) {
      Node& node = nodes_[is_hard_link(entry) ? entry.target : entry.path];
      if (!node.inode) {
        node.inode = next++;
      } else {
        node.left = ++node.names;
      }
      if (!is_hard_link(entry)) node.data = &entry;
    }
  }

  void add(const ImageEntry& entry) {
    deadline_.check("writing an image");
    key_.add(entry);
    Node& node = nodes_.at(is_hard_link(entry) ? entry.target : entry.path);
    --node.left;
    if (entry.type != Type::file || node.left) {
      header(entry, node, 0);
      return;
    }
    const ImageEntry& data = *node.data;
    read_content(
        data,
        [&](std::uint64_t size) {
          if (size > 0xffffffffu)
            throw ConfigError({.attempted = fmt::format("put {} into an image", entry.path),
                               .reason = "the newc format holds files below 4 GiB only",
                               .hint = "put it on a disk, or push it into the running guest",
                               .log = {}});
          key_.begin_file(data.path, size);
          header(entry, node, size);
        },
        [&](std::string_view bytes) {
          deadline_.check("writing an image");
          key_.add_bytes(bytes);
          const la_ssize_t n = archive_write_data(a_.get(), bytes.data(), bytes.size());
          if (n != static_cast<la_ssize_t>(bytes.size())) check(ARCHIVE_FATAL);
        });
    key_.end_file(data.path);
  }

  void header(const ImageEntry& entry, const Node& node, std::uint64_t size) {
    static constexpr mode_t kTypes[] = {S_IFREG, S_IFDIR, 0, S_IFLNK, S_IFIFO, S_IFSOCK};
    archive_entry_clear(e_.get());
    mode_t type = kTypes[static_cast<int>(entry.type)];
    if (entry.type == Type::node) {
      type = entry.device == 'b' ? S_IFBLK : S_IFCHR;
      archive_entry_set_rdevmajor(e_.get(), entry.major);
      archive_entry_set_rdevminor(e_.get(), entry.minor);
    }
    if (entry.type == Type::symlink) archive_entry_set_symlink(e_.get(), entry.target.c_str());
    archive_entry_set_pathname(e_.get(), entry.path.c_str() + 1);
    archive_entry_set_mode(e_.get(), type | (entry.mode & 07777u));
    archive_entry_set_uid(e_.get(), entry.uid);
    archive_entry_set_gid(e_.get(), entry.gid);
    archive_entry_set_ino64(e_.get(), node.inode);
    archive_entry_set_nlink(e_.get(), entry.type == Type::dir ? 2 : node.names);
    archive_entry_set_mtime(e_.get(), 0, 0);
    archive_entry_set_size(e_.get(), static_cast<la_int64_t>(size));
    check(archive_write_header(a_.get(), e_.get()));
  }

  Output output_;  // outlives a_, whose destruction may still write
  std::unique_ptr<archive, int (*)(archive*)> a_{archive_write_new(), &archive_write_free};
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> e_{archive_entry_new(), &archive_entry_free};
  ContentKey key_;
  const Deadline& deadline_;
  std::map<std::string, Node> nodes_;
};

}  // namespace

std::string write_newc(const std::vector<ImageEntry>& entries, Compression compression,
                       const Path& base_archive, const ByteSink& sink, const Deadline& deadline) {
  return Writer(compression, base_archive, sink, deadline).write(entries);
}

}  // namespace kdev
