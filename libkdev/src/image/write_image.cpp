// SeedImage's ways to a file.
#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/seed_image.hpp>

#include "common/system_error.hpp"
#include "host/atomic_file.hpp"
#include "host/hostfs.hpp"
#include "image/byte_window.hpp"
#include "image/content.hpp"
#include "image/newc_writer.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;

void copy_archive(const Path& from, bool pad, AtomicFile& to, const Deadline& deadline) {
  FileSource source(from);
  std::string buffer(1 << 20, '\0');
  std::uint64_t total = 0;
  while (const std::size_t n = source.read_at(total, buffer.data(), buffer.size())) {
    deadline.check("copying an image");
    to.write({buffer.data(), n});
    total += n;
  }
  // The kernel wants a plain cpio archive to start at a multiple of four bytes (init/initramfs.c: "broken
  // padding").
  if (pad) to.write(std::string(static_cast<std::size_t>(-total % 4), '\0'));
}

/// Writes without naming the file yet. The key of what was written.
std::string write_to(AtomicFile& out, const std::vector<ImageEntry>& own, Compression compression,
                     const Path& archive, const Deadline& deadline) {
  if (!archive.empty()) copy_archive(archive, !own.empty(), out, deadline);
  if (!archive.empty() && own.empty()) return {};
  return write_newc(
      own, compression, archive, [&](std::string_view bytes) { out.write(bytes); }, deadline);
}

const char* extension(Compression compression) {
  return compression == Compression::gzip   ? ".cpio.gz"
         : compression == Compression::zstd ? ".cpio.zst"
                                            : ".cpio";
}

bool is_whole_file(const Path& path) {
  struct stat st;
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

}  // namespace

void SeedImage::write(const Path& file, const Deadline& deadline) const {
  const std::vector<ImageEntry> own = own_entries(deadline);
  AtomicFile out(file);
  write_to(out, own, compression_, archive_, deadline);
  out.commit();
}

Path SeedImage::realize(const Path& cache_dir, const Deadline& deadline) const {
  const std::vector<ImageEntry> own = own_entries(deadline);
  if (!archive_.empty() && own.empty()) return archive_;
  // A source that somebody changes between the two passes would give the wrong name to what is written.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::string key = content_key(own, compression_, archive_, deadline);
    const Path file = cache_dir / (key.substr(0, 32) + extension(compression_));
    if (is_whole_file(file)) return file;
    boost::system::error_code ec;
    fs::create_directories(cache_dir, ec);
    if (ec) throw host_error("make the directory " + cache_dir.string(), ec.value());
    AtomicFile out(file);
    if (write_to(out, own, compression_, archive_, deadline) != key) continue;
    out.commit();
    return file;
  }
  throw HostError({.attempted = "write an image into " + cache_dir.string(),
                   .reason = "its source files keep changing",
                   .hint = "let what writes them finish first",
                   .log = {}});
}

void SeedImage::write_list(const Path& file) const {
  if (!archive_.empty())
    throw ConfigError({.attempted = "write the list " + file.string(),
                       .reason = "the image is an archive: a list names files",
                       .hint = "unpack it and make an image of the directory",
                       .log = {}});
  const Path absolute = hostfs::absolute(file);
  const Path beside = absolute.string() + ".files";
  std::vector<ImageEntry> list = own_entries();
  const std::shared_ptr<Host> host = local_host();
  unsigned next = 0;
  for (ImageEntry& e : list) {
    if (e.type != ImageEntry::Type::file || is_hard_link(e) || !e.source.empty()) continue;
    if (!next) {
      host->remove_all(beside);
      host->make_directories(beside);
    }
    e.source = beside / std::to_string(next++);
    host->write_file(e.source, e.content);
    e.content.clear();
  }
  host->write_file(absolute, format_list(list));
}

}  // namespace kdev
