#include "image/archive_kind.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/system_error.hpp"
#include "host/unique_fd.hpp"

namespace kdev {

ArchiveKind kind_of_bytes(std::string_view start) {
  struct Magic {
    std::string_view bytes;
    ArchiveKind kind;
  };
  using namespace std::string_view_literals;
  static constexpr Magic kMagics[] = {
      {"070701"sv, ArchiveKind::cpio},
      {"070702"sv, ArchiveKind::cpio},
      {"070707"sv, ArchiveKind::cpio},
      {"\x1f\x8b"sv, ArchiveKind::gzip},
      {"BZh"sv, ArchiveKind::bzip2},
      {"\x5d\x00\x00"sv, ArchiveKind::lzma},
      {"\xfd"
       "7zXZ\x00"sv,
       ArchiveKind::xz},
      {"\x89LZO\x00"sv, ArchiveKind::lzo},
      {"\x02\x21\x4c\x18"sv, ArchiveKind::lz4},
      {"\x04\x22\x4d\x18"sv, ArchiveKind::lz4},
      {"\x28\xb5\x2f\xfd"sv, ArchiveKind::zstd},
  };
  for (const Magic& m : kMagics)
    if (start.starts_with(m.bytes)) return m.kind;
  return ArchiveKind::unknown;
}

ArchiveKind kind_of_file(const Path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw host_error("read " + file.string(), errno);
  char start[8];
  const ssize_t n = ::read(fd.get(), start, sizeof start);
  if (n < 0) throw host_error("read " + file.string(), errno);
  return kind_of_bytes({start, static_cast<std::size_t>(n)});
}

}  // namespace kdev
