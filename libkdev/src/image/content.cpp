#include "image/content.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/system_error.hpp"
#include "host/unique_fd.hpp"

namespace kdev {

void read_content(const ImageEntry& entry, const std::function<void(std::uint64_t)>& on_size,
                  const std::function<void(std::string_view)>& on_bytes) {
  if (entry.source.empty()) {
    on_size(entry.content.size());
    on_bytes(entry.content);
    return;
  }
  const std::string attempted = fmt::format("read {} for {} of an image", entry.source.string(), entry.path);
  // O_NONBLOCK: a FIFO must not make us wait for its writer before it is refused.
  UniqueFd fd(::open(entry.source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw host_error(attempted, errno);
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) throw host_error(attempted, errno);
  if (!S_ISREG(st.st_mode))
    throw HostError({.attempted = attempted, .reason = "it is no regular file", .hint = "", .log = {}});
  std::uint64_t left = static_cast<std::uint64_t>(st.st_size);
  on_size(left);
  std::string buffer(std::min<std::uint64_t>(std::max<std::uint64_t>(left, 1), 1u << 20), '\0');
  while (left) {
    const ssize_t n = ::read(fd.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error(attempted, errno);
    if (n == 0)
      throw HostError(
          {.attempted = attempted, .reason = "it became shorter while it was read", .hint = "", .log = {}});
    on_bytes({buffer.data(), static_cast<std::size_t>(n)});
    left -= static_cast<std::uint64_t>(n);
  }
}

ContentKey::ContentKey(Compression compression, const Path& base_archive) {
  digest_.add("kdev image 1").add(std::to_string(static_cast<int>(compression)));
  if (!base_archive.empty()) digest_.add("over").add_file(base_archive);
}

void ContentKey::add(const ImageEntry& e) {
  digest_.add(fmt::format("{} {:o} {} {} {} {} {}", static_cast<int>(e.type), e.mode, e.uid, e.gid,
                          static_cast<int>(e.device), e.major, e.minor));
  digest_.add(e.path).add(e.target);
}

void ContentKey::begin_file(const std::string& path, std::uint64_t size) {
  files_[path] = fmt::format("{} ", size);
  file_.emplace();
}

std::string ContentKey::hex() {
  for (const auto& [path, digest] : files_) digest_.add(path).add(digest);
  return digest_.hex();
}

std::string content_key(const std::vector<ImageEntry>& entries, Compression compression,
                        const Path& base_archive, const Deadline& deadline) {
  ContentKey key(compression, base_archive);
  for (const ImageEntry& entry : entries) {
    deadline.check("reading the files of an image");
    key.add(entry);
    if (entry.type != ImageEntry::Type::file || is_hard_link(entry)) continue;
    read_content(
        entry, [&](std::uint64_t size) { key.begin_file(entry.path, size); },
        [&](std::string_view bytes) {
          key.add_bytes(bytes);
          deadline.check("reading the files of an image");
        });
    key.end_file(entry.path);
  }
  return key.hex();
}

}  // namespace kdev
