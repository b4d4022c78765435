#include "image/ufs.hpp"

#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <map>

#include "common/digest.hpp"
#include "common/system_error.hpp"
#include "image/content.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using Type = ImageEntry::Type;

/// sys/ufs/ffs/fs.h: SBLOCK_UFS2; offsets of struct fs.
constexpr std::streamoff superblock_at = 65536, sblockloc_at = superblock_at + 1000,
                         magic_at = superblock_at + 1372;
// Debian's, for one, is NetBSD's of old.
constexpr const char* another_makefs =
    "let KDEV_MAKEFS name a makefs built from the kernel's own tree (usr.sbin/makefs)";
constexpr std::uint32_t ufs2_magic = 0x19540119;

/// As strunvis(3) takes it back.
std::string escaped(const std::string& text) {
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = std::isalnum(c) || std::strchr("/._-+@%,:", c);
    out += plain && c != 0 ? std::string(1, static_cast<char>(c)) : fmt::format("\\{:03o}", c);
  }
  return out;
}

struct TemporaryFolder {
  Path path;
  explicit TemporaryFolder(const Path& cache_dir) : path(cache_dir / fs::unique_path("ufs-%%%%%%%%.tmp")) {
    boost::system::error_code ec;
    fs::create_directories(path, ec);
    if (ec) throw host_error("make the directory " + path.string(), ec.value());
  }
  ~TemporaryFolder() {
    boost::system::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// Puts each file's content where makefs finds it, under its entry's number.
std::vector<std::string> stage(const std::vector<ImageEntry>& entries, const Path& dir) {
  std::vector<std::string> content(entries.size());
  std::map<std::string, std::size_t> by_path;
  std::map<std::string, bool> linked;
  for (const ImageEntry& e : entries)
    if (is_hard_link(e)) linked[e.target] = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ImageEntry& e = entries[i];
    if (e.type != Type::file || is_hard_link(e)) continue;
    by_path[e.path] = i;
    content[i] = std::to_string(i);
    const Path file = dir / content[i];
    if (e.source.empty())
      local_host()->write_file(file, e.content);
    else if (linked.count(e.path))
      fs::copy_file(e.source, file);
    else
      fs::create_symlink(e.source, file);
    // makefs takes entries for names of one file when their content is one file of several names.
    if (linked.count(e.path)) fs::create_hard_link(file, dir / (content[i] + ".link"));
  }
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (is_hard_link(entries[i])) content[i] = content[by_path.at(entries[i].target)];
  return content;
}

void check_superblock(const Path& image, const UfsOptions& options, const std::string& attempted) {
  std::ifstream in(image.string(), std::ios::binary);
  std::uint32_t magic = 0;
  std::int64_t location = 0;
  in.seekg(sblockloc_at).read(reinterpret_cast<char*>(&location), sizeof location);
  in.seekg(magic_at).read(reinterpret_cast<char*>(&magic), sizeof magic);
  if (in && magic == ufs2_magic && location == superblock_at) return;
  throw HostError({.attempted = attempted,
                   .reason = options.makefs.string() + " made no UFS2 that kernels take",
                   .hint = another_makefs,
                   .log = {}});
}

}  // namespace

std::string ufs_manifest(const std::vector<ImageEntry>& entries, const std::vector<std::string>& content) {
  std::string out = "#mtree\n. type=dir uid=0 gid=0 mode=0755\n";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ImageEntry& e = entries[i];
    const bool is_root = e.path == "/";
    if (is_root || e.type == Type::node || e.type == Type::pipe || e.type == Type::socket) continue;
    const char* type = e.type == Type::dir ? "dir" : e.type == Type::symlink ? "link" : "file";
    out += fmt::format(".{} type={} uid={} gid={} mode={:04o}", escaped(e.path), type, e.uid, e.gid, e.mode);
    if (e.type == Type::symlink) out += " link=" + escaped(e.target);
    if (e.type == Type::file) out += " contents=" + content[i];
    out += "\n";
  }
  return out;
}

Path realize_ufs(const SeedImage& image, const Path& cache_dir, const UfsOptions& options,
                 const Deadline& deadline) {
  const std::string attempted = "make an UFS2 image in " + cache_dir.string();
  if (image.is_archive())
    throw ConfigError({.attempted = attempted,
                       .reason = "the image is a cpio archive, which other kernels take",
                       .hint = "make an image of a directory: SeedImage::directory()",
                       .log = {}});
  const std::vector<ImageEntry> entries = image.entries();
  const std::string key = sha256(
      fmt::format("{} {} {} {}", content_key(entries, Compression::none, {}, deadline), options.free_bytes,
                  options.makefs.string(), local_host()->status(options.makefs).mtime_ns));
  const Path file = cache_dir / (key.substr(0, 32) + ".ufs");
  boost::system::error_code ec;
  if (fs::is_regular_file(file, ec)) return file;
  const TemporaryFolder temporary(cache_dir);
  try {
    local_host()->write_file(temporary.path / "manifest",
                             ufs_manifest(entries, stage(entries, temporary.path)));
  } catch (const boost::system::system_error& e) {
    throw host_error(attempted, e.code().value());
  }
  const ProcessResult made = local_host()->run(
      Command{.argv = {options.makefs.string(), "-t", "ffs", "-Z", "-B", "little", "-o", "version=2", "-b",
                       std::to_string(options.free_bytes), "-f", "4096", "image", "manifest"},
              .cwd = temporary.path},
      {.deadline = deadline});
  if (!made.ok())
    throw HostError({.attempted = attempted,
                     .reason = fmt::format("{}: {}: {}", options.makefs.string(), describe(made.status),
                                           made.err.substr(0, made.err.find('\n'))),
                     .hint = another_makefs,
                     .log = {}});
  check_superblock(temporary.path / "image", options, attempted);
  // Whoever made the same meanwhile made the same.
  fs::rename(temporary.path / "image", file, ec);
  if (ec) throw host_error(attempted, ec.value());
  return file;
}

Path find_makefs() {
  const char* chosen = std::getenv("KDEV_MAKEFS");
  if (chosen && *chosen) return chosen;
  if (const auto found = local_host()->which("makefs")) return *found;
  throw HostError({.attempted = "find makefs, which makes UFS2 file systems",
                   .reason = "it is not in PATH",
                   .hint = another_makefs,
                   .log = {}});
}

}  // namespace kdev
