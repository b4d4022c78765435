#include "image/ufs.hpp"

#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <fstream>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/digest.hpp"
#include "host/temporary_folder.hpp"
#include "image/content.hpp"
#include "image/makefs.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

/// sys/ufs/ffs/fs.h: SBLOCK_UFS2; offsets of struct fs.
constexpr std::streamoff superblock_at = 65536, sblockloc_at = superblock_at + 1000,
                         magic_at = superblock_at + 1372;
constexpr std::uint32_t ufs2_magic = 0x19540119;

void check_superblock(const Path& image, const UfsOptions& options) {
  std::ifstream in(image.string(), std::ios::binary);
  std::uint32_t magic = 0;
  std::int64_t location = 0;
  in.seekg(sblockloc_at).read(reinterpret_cast<char*>(&location), sizeof location);
  in.seekg(magic_at).read(reinterpret_cast<char*>(&magic), sizeof magic);
  if (in && magic == ufs2_magic && location == superblock_at) return;
  throw HostError({.attempted = "make an UFS2 image",
                   .reason = options.makefs.string() + " made no UFS2 that kernels take",
                   .hint = another_makefs,
                   .log = {}});
}

}  // namespace

void make_ufs(const std::vector<ImageEntry>& entries, const Path& file, const UfsOptions& options,
              const Deadline& deadline) {
  const TemporaryFolder temporary(file.parent_path());
  run_makefs(options.makefs,
             {"-t", "ffs", "-Z", "-B", "little", "-o",
              fmt::format("version=2,softupdates={}", options.soft_updates ? 1 : 0), "-b",
              std::to_string(options.free_bytes), "-f", "4096"},
             entries, temporary.path, deadline);
  check_superblock(temporary.path / "image", options);
  // Whoever made the same meanwhile made the same.
  local_host()->rename(temporary.path / "image", file);
}

Path realize_ufs(const SeedImage& image, const Path& cache_dir, const UfsOptions& options,
                 const Deadline& deadline) {
  if (image.is_archive())
    throw ConfigError({.attempted = "make an UFS2 image in " + cache_dir.string(),
                       .reason = "the image is a cpio archive, which other kernels take",
                       .hint = "make an image of a directory: SeedImage::directory()",
                       .log = {}});
  const std::vector<ImageEntry> entries = image.entries();
  const std::string key = sha256(fmt::format(
      "{} {} {} {} {}", content_key(entries, Compression::none, {}, deadline), options.free_bytes,
      options.soft_updates, options.makefs.string(), local_host()->status(options.makefs).mtime_ns));
  const Path file = cache_dir / (key.substr(0, 32) + ".ufs");
  boost::system::error_code ec;
  if (!fs::is_regular_file(file, ec)) make_ufs(entries, file, options, deadline);
  return file;
}

}  // namespace kdev
