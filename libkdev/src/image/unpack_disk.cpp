#include "image/unpack_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "host/unique_fd.hpp"
#include "image/archive_kind.hpp"
#include "image/decompressor.hpp"
#include "image/temporary_folder.hpp"

namespace kdev {
namespace {

// As large as a hole has to be to be worth one; a multiple of every file system's block.
constexpr std::size_t piece = 64u << 10;

bool is_packed(ArchiveKind kind) {
  return kind != ArchiveKind::unknown && kind != ArchiveKind::cpio;
}

void write_piece(int fd, std::string_view bytes, std::uint64_t at, const std::string& attempted) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw host_error(attempted, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

Path unpack_disk(const Path& file, const Path& cache_dir, const Deadline& deadline) {
  const ArchiveKind kind = kind_of_file(file);
  if (!is_packed(kind)) return file;
  const FileStatus status = local_host()->status(file);
  const Path name = file.stem();  // without .xz
  const Path target =
      cache_dir /
      (sha256(fmt::format("{} {} {}", file.string(), status.size, status.mtime_ns)).substr(0, 32) + "-" +
       name.filename().string());
  if (local_host()->exists(target)) return target;

  const std::string attempted = "unpack " + file.string();
  const TemporaryFolder temporary(cache_dir);
  const Path unpacked = temporary.path / "disk";
  const UniqueFd fd(::open(unpacked.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) throw host_error(attempted, errno);
  FileSource source(file);
  Decompressor in(source, 0, kind, file.string());
  std::string buffer(piece, '\0');
  std::uint64_t at = 0;
  for (std::size_t have = 0;;) {
    const std::size_t n = in.read_at(at + have, buffer.data() + have, buffer.size() - have);
    have += n;
    if (n && have < buffer.size()) continue;
    const std::string_view bytes(buffer.data(), have);
    if (bytes.find_first_not_of('\0') != bytes.npos) write_piece(fd.get(), bytes, at, attempted);
    at += have;
    have = 0;
    if (!n) break;
    deadline.check(attempted);
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(at)) != 0) throw host_error(attempted, errno);
  local_host()->rename(unpacked, target);
  return target;
}

}  // namespace kdev
