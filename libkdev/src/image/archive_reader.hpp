#pragma once
// Reading initramfs archives as the kernel takes them: cpio archives one after the other, plain or
// compressed, with zero bytes between (init/initramfs.c: unpack_to_rootfs()).
#include <kdev/seed_image.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "image/byte_window.hpp"

struct archive;
struct archive_entry;

namespace kdev {

class Decompressor;

class ArchiveReader {
 public:
  /// `name` is for messages.
  ArchiveReader(ByteSource& source, std::string name);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// Moves to the next entry; false at the end. FormatError for what is no archive, is damaged or cut off.
  bool next();
  /// The entry; a further name of an earlier file has that as `target`. Paths are absolute and normal, except
  /// that ".." components stay as they are. The file's content is not in it.
  const ImageEntry& entry() const { return entry_; }
  /// Names that the file has according to its header.
  unsigned link_count() const;
  /// libarchive's view of the same.
  archive_entry* raw() { return raw_; }
  /// Reads the entry's content; 0 at its end. FormatError when it is cut off.
  std::size_t read(char* to, std::size_t size);
  /// All of the content when it has at most `limit` bytes, else its first `limit` bytes.
  std::string read_all(std::size_t limit);

 private:
  bool open_cpio();
  void close_cpio();
  void fill_entry();
  [[noreturn]] void fail(std::string reason) const;
  [[noreturn]] void fail_with(::archive* a, const ByteWindow& window) const;

  std::string name_;
  ByteSource& source_;
  ByteWindow file_;
  std::unique_ptr<Decompressor> inner_;       ///< the compressed part that is being read
  std::unique_ptr<ByteWindow> inner_window_;  ///< over inner_
  ByteWindow* current_ = nullptr;             ///< what cpio_ reads from
  std::unique_ptr<::archive, int (*)(::archive*)> cpio_;
  std::uint64_t cpio_start_ = 0;
  archive_entry* raw_ = nullptr;
  ImageEntry entry_;
  bool any_ = false;       ///< an archive has been found
  bool in_entry_ = false;  ///< raw_ is an entry of cpio_
};

/// True when the archive's /init is kdev's agent. HostError, FormatError.
bool archive_has_agent(const Path& file);

}  // namespace kdev
