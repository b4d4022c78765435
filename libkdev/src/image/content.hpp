#pragma once
// What is in the files of an image, read in pieces, and the key that names an image by its content.
#include <functional>
#include <kdev/seed_image.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/digest.hpp"

namespace kdev {

/// A further name of a file that has an entry of its own (its `target`).
inline bool is_hard_link(const ImageEntry& entry) {
  return entry.type == ImageEntry::Type::file && !entry.target.empty();
}

/// Tells the size, then gives exactly so many bytes of a file entry's content, in order. HostError when the
/// source cannot be read, is no regular file, or became shorter meanwhile.
void read_content(const ImageEntry& entry, const std::function<void(std::uint64_t)>& on_size,
                  const std::function<void(std::string_view)>& on_bytes);

/// Collects what an image consists of: every entry in archive order; and, at any time after its entry, the
/// bytes of each file that is no further name of another one.
class ContentKey {
 public:
  ContentKey(Compression compression, const Path& base_archive);
  void add(const ImageEntry& entry);
  void begin_file(const std::string& path, std::uint64_t size);
  void add_bytes(std::string_view bytes) { file_->raw(bytes); }
  void end_file(const std::string& path) { files_[path] += file_->hex(); }
  std::string hex();

 private:
  Digest digest_;
  std::optional<Digest> file_;
  std::map<std::string, std::string> files_;
};

/// The key of these entries, laid over an archive when `base_archive` is not empty.
std::string content_key(const std::vector<ImageEntry>& entries, Compression compression,
                        const Path& base_archive, const Deadline& deadline);

}  // namespace kdev
