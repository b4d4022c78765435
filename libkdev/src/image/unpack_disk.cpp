#include "image/unpack_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "host/sparse_file.hpp"
#include "host/temporary_folder.hpp"
#include "host/unique_fd.hpp"
#include "image/archive_kind.hpp"
#include "image/decompressor.hpp"

namespace kdev {
namespace {

constexpr std::size_t piece = 64u << 10;

bool is_packed(ArchiveKind kind) {
  return kind != ArchiveKind::unknown && kind != ArchiveKind::cpio;
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
  SparseWriter out(fd.get(), attempted);
  while (const std::size_t n = in.read_at(out.size(), buffer.data(), buffer.size())) {
    out.write({buffer.data(), n});
    deadline.check(attempted);
  }
  out.finish();
  local_host()->rename(unpacked, target);
  return target;
}

}  // namespace kdev
