#include "image/boot_disk.hpp"

#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "common/digest.hpp"
#include "common/overload.hpp"
#include "host/temporary_folder.hpp"
#include "image/compose.hpp"
#include "image/content.hpp"
#include "image/makefs.hpp"
#include "image/ufs.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using guest::DiskLayout;
using guest::DiskPartition;

// Room for a few kernels; what nobody writes to takes no space.
constexpr std::uint64_t usual_free_bytes = 512u << 20;

struct Tools {
  Path makefs, mkimg;
};

Tools tools_of(const SeedImage& image) {
  Tools tools{.makefs = image.makefs().empty() ? find_makefs() : image.makefs(), .mkimg = image.mkimg()};
  if (tools.mkimg.empty()) {
    const auto found = local_host()->which("mkimg");
    if (!found)
      throw HostError({.attempted = "make a disk image",
                       .reason = "mkimg(1) is not in PATH",
                       .hint = "SeedImage.userland(ws.build_userland()) brings the tree's own",
                       .log = {}});
    tools.mkimg = *found;
  }
  return tools;
}

std::string key_of(const std::vector<ImageEntry>& root, const DiskLayout& layout, const SeedImage& image,
                   const Tools& tools, const Deadline& deadline) {
  // Every file that goes in, under a name that tells where it goes.
  std::vector<ImageEntry> all = root;
  std::string plan;
  auto add = [&](ImageEntry entry, std::size_t number) {
    entry.path = fmt::format("/{}:{}", number, entry.path);
    all.push_back(std::move(entry));
  };
  add({.source = layout.boot_code}, 0);
  for (std::size_t i = 0; i < layout.partitions.size(); ++i) {
    const DiskPartition& partition = layout.partitions[i];
    plan += fmt::format("{} {} ", partition.type, partition.label);
    std::visit(Overload{[&](const Path& file) { add({.source = file}, i + 1); },
                        [&](const DiskPartition::Blank& blank) { plan += std::to_string(blank.size); },
                        [&](const DiskPartition::Fat& fat) {
                          plan += std::to_string(fat.size);
                          for (const ImageEntry& e : fat.entries) add(e, i + 1);
                        },
                        [&](const DiskPartition::Root&) { plan += "root"; }},
               partition.content);
    plan += '\n';
  }
  for (const Path& tool : {tools.makefs, tools.mkimg})
    plan += fmt::format("{} {}\n", tool.string(), local_host()->status(tool).mtime_ns);
  return sha256(
      fmt::format("{}{} {}", plan, image.free_bytes(), content_key(all, Compression::none, {}, deadline)));
}

void make_fat(const DiskPartition::Fat& fat, const Path& file, const Path& makefs, const Deadline& deadline) {
  const TemporaryFolder temporary(file.parent_path());
  run_makefs(makefs,
             {"-t", "msdos", "-o", "fat_type=32,sectors_per_cluster=1", "-s", std::to_string(fat.size)},
             compose({fat.entries}), temporary.path, deadline);
  local_host()->rename(temporary.path / "image", file);
}

}  // namespace

Path realize_boot_disk(const SeedImage& image, const DiskLayout& layout, const Path& cache_dir,
                       const Deadline& deadline) {
  const std::string attempted = "make a disk image in " + cache_dir.string();
  if (image.is_archive())
    throw ConfigError({.attempted = attempted,
                       .reason = "the image is a cpio archive, which no disk holds",
                       .hint = "make an image of a directory: SeedImage::directory()",
                       .log = {}});
  const Tools tools = tools_of(image);
  const std::vector<ImageEntry> root = compose({image.entries(layout.defaults), layout.entries});
  const Path file = cache_dir / (key_of(root, layout, image, tools, deadline).substr(0, 32) + ".raw");
  boost::system::error_code ec;
  if (fs::is_regular_file(file, ec)) return file;

  const TemporaryFolder temporary(cache_dir);
  std::vector<std::string> argv{tools.mkimg.string(),     "-s", "gpt", "-f", "raw", "-b",
                                layout.boot_code.string()};
  for (std::size_t i = 0; i < layout.partitions.size(); ++i) {
    const DiskPartition& partition = layout.partitions[i];
    const Path made = temporary.path / std::to_string(i);
    // mkimg(1): type/label:=file, type/label::size
    const std::string name = partition.type + "/" + partition.label;
    argv.push_back("-p");
    argv.push_back(std::visit(
        Overload{[&](const Path& content) { return name + ":=" + content.string(); },
                 [&](const DiskPartition::Blank& blank) { return fmt::format("{}::{}", name, blank.size); },
                 [&](const DiskPartition::Fat& fat) {
                   make_fat(fat, made, tools.makefs, deadline);
                   return name + ":=" + made.string();
                 },
                 [&](const DiskPartition::Root&) {
                   make_ufs(root, made,
                            {.makefs = tools.makefs,
                             .free_bytes = image.free_bytes() ? image.free_bytes() : usual_free_bytes,
                             .soft_updates = true},
                            deadline);
                   return name + ":=" + made.string();
                 }},
        partition.content));
  }
  const Path disk = temporary.path / "disk";
  argv.insert(argv.end(), {"-o", disk.string()});
  // Where it writes what it gathers; what a killed one leaves goes with the folder.
  local_host()->check(attempted,
                      Command{.argv = std::move(argv), .env = {{"TMPDIR", temporary.path.string()}}},
                      {.deadline = deadline});
  local_host()->rename(disk, file);
  return file;
}

}  // namespace kdev
