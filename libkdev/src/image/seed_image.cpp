#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/seed_image.hpp>
#include <map>

#include "common/size.hpp"
#include "common/system_error.hpp"
#include "guest/dump_rules.hpp"
#include "guest/guest.hpp"
#include "host/hostfs.hpp"
#include "image/agent.hpp"
#include "image/archive_kind.hpp"
#include "image/archive_reader.hpp"
#include "image/busybox.hpp"
#include "image/compose.hpp"
#include "image/edited.hpp"
#include "image/guest_path.hpp"
#include "image/metalog.hpp"
#include "image/tree.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using Type = ImageEntry::Type;

struct stat look_at(const Path& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) throw host_error("look at " + path.string(), errno);
  return st;
}

bool file_is_agent(const Path& path) {
  boost::system::error_code ec;
  const std::uintmax_t size = fs::is_regular_file(path, ec) ? fs::file_size(path, ec) : 0;
  return !ec && size && size <= kMaxAgentSize && looks_like_agent(local_host()->read_file(path));
}

/// Whether the /init of these entries is kdev's agent.
bool has_agent_init(const std::vector<ImageEntry>& entries) {
  for (const ImageEntry& e : entries)
    if (normal_guest_path(e.path) == "/init" && e.type == Type::file)
      return e.source.empty() ? looks_like_agent(e.content) : file_is_agent(e.source);
  return false;
}

}  // namespace

void SeedImage::add_entry(ImageEntry entry) {
  if (entry.path.starts_with('/') && normal_guest_path(entry.path) == "/init")
    agent_ = has_agent_init({entry});
  entries_.push_back(std::move(entry));
}

SeedImage SeedImage::busybox() {
  SeedImage image;
  image.busybox_ = image.agent_ = true;
  return image;
}

SeedImage SeedImage::directory(const Path& dir, bool agent) {
  if (!S_ISDIR(look_at(dir).st_mode)) throw host_error("use " + dir.string() + " as an image", ENOTDIR);
  SeedImage image;
  image.trees_.push_back(hostfs::absolute(dir));
  if (agent) image.entries_.push_back(agent_entry());
  image.agent_ = agent || file_is_agent(dir / "init");
  return image;
}

SeedImage SeedImage::userland(const UserlandArtifact& userland) {
  SeedImage image = directory(userland.root);
  image.makefs_ = userland.makefs;
  image.mkimg_ = userland.mkimg;
  image.boot_ = userland.boot;
  image.metalog_ = userland.metalog;
  return image;
}

SeedImage SeedImage::list(const Path& file) {
  const Path absolute = hostfs::absolute(file);
  return from_entries(parse_list(local_host()->read_file(absolute), absolute.parent_path(), file));
}

SeedImage SeedImage::from_entries(std::vector<ImageEntry> entries) {
  SeedImage image;
  image.entries_ = std::move(entries);
  image.agent_ = has_agent_init(compose({image.entries_}));  // also checks the paths
  return image;
}

SeedImage SeedImage::archive(const Path& file) {
  look_at(file);
  SeedImage image;
  image.archive_ = hostfs::absolute(file);
  image.agent_ = archive_has_agent(image.archive_);
  return image;
}

SeedImage SeedImage::initramfs(const Path& path) {
  if (S_ISDIR(look_at(path).st_mode)) return directory(path);
  return kind_of_file(path) == ArchiveKind::unknown ? list(path) : archive(path);
}

SeedImage SeedImage::add_file(const Path& source, const std::string& guest_path, unsigned mode) const {
  const struct stat st = look_at(source);
  if (S_ISDIR(st.st_mode))
    throw HostError({.attempted = "add " + source.string() + " to an image",
                     .reason = "it is a directory",
                     .hint = "SeedImage.directory() takes whole directories",
                     .log = {}});
  ImageEntry e{.path = guest_path,
               .mode = mode ? mode & 07777u : st.st_mode & 07777u,
               .source = hostfs::absolute(source)};
  SeedImage image = *this;
  image.add_entry(std::move(e));
  return image;
}

SeedImage SeedImage::add_content(const std::string& content, const std::string& guest_path,
                                 unsigned mode) const {
  SeedImage image = *this;
  image.add_entry({.path = guest_path, .mode = mode & 07777u, .content = content});
  return image;
}

SeedImage SeedImage::add_directory(const std::string& guest_path, unsigned mode) const {
  SeedImage image = *this;
  image.entries_.push_back({.type = Type::dir, .path = guest_path, .mode = mode & 07777u});
  return image;
}

SeedImage SeedImage::add_module(const ModuleArtifact& module) const {
  return add_file(module.ko, "/m/" + module.ko.filename().string(), 0644);
}

SeedImage SeedImage::add_modules(const KernelArtifact& kernel) const {
  if (kernel.modules.empty()) return *this;
  SeedImage image = *this;
  for (ImageEntry& e : read_tree(kernel.modules)) {
    // Folders come with what is in them: one that the image has, or a link in its place, stays as it is.
    if (e.type == Type::dir) continue;
    // Links to the source and output trees, which are not in the guest.
    if (e.type == Type::symlink && e.target.starts_with('/')) continue;
    image.entries_.push_back(std::move(e));
  }
  return image;
}

SeedImage SeedImage::compress(Compression compression) const {
  SeedImage image = *this;
  image.compression_ = compression;
  return image;
}

SeedImage SeedImage::edit(const ConfEdit& edit) const {
  if (!edit.file.starts_with('/') || leads_out(edit.file))
    throw ConfigError({.attempted = fmt::format("change {} in an image", edit.file),
                       .reason = "the path is not absolute, or has \"..\" in it",
                       .hint = "",
                       .log = {}});
  edit.applied_to("");  // a bad name or value is told here, not when a guest boots
  SeedImage image = *this;
  image.edits_.push_back(edit);
  return image;
}

SeedImage SeedImage::dump_settings(const DumpSettings& settings, Os os) const {
  const guest::DumpRules* rules = guest::guest_for(os).dumps();
  if (!rules)
    throw ConfigError({.attempted = "put dump settings into an image",
                       .reason = fmt::format("kdev does not know how {} is told to dump", os_title(os)),
                       .hint = "",
                       .log = {}});
  SeedImage image = *this;
  for (const ConfEdit& each : rules->image_edits(settings)) image = image.edit(each);
  return image;
}

SeedImage SeedImage::free_space(const std::string& size) const {
  SeedImage image = *this;
  image.free_bytes_ = parse_size(size, "the free space of an image", 1);
  return image;
}

SeedImage SeedImage::swap(const std::string& size) const {
  SeedImage image = *this;
  image.swap_bytes_ = size == "0" ? 0 : parse_size(size, "the swap of an image", 1);
  return image;
}

SeedImage SeedImage::own_init(Os os) const {
  const std::string attempted = "let the system's own init start an image";
  if (is_disk() || is_archive())
    throw ConfigError({.attempted = attempted,
                       .reason = "it is no image of files",
                       .hint = is_disk() ? "customize() puts the agent on a disk as a service" : "",
                       .log = {}});
  const std::vector<ImageEntry> all = entries();
  const auto agent =
      std::find_if(all.begin(), all.end(), [](const ImageEntry& e) { return e.path == "/init"; });
  if (!agent_ || agent == all.end() || agent->source.empty())
    throw ConfigError({.attempted = attempted,
                       .reason = "kdev's agent is not in it",
                       .hint = "SeedImage.userland() brings it",
                       .log = {}});
  const std::vector<ImageEntry> service = guest::guest_for(os).agent_service(agent->source);
  SeedImage image = *this;
  image.own_init_ = true;
  image.entries_.insert(image.entries_.end(), service.begin(), service.end());
  return image;
}

std::vector<ImageEntry> SeedImage::own_entries(const Deadline& deadline,
                                               const std::vector<ImageEntry>& below) const {
  if (is_disk())
    throw ConfigError({.attempted = "list what is in an image",
                       .reason = "it is a whole disk",
                       .hint = "customize() changes it; VM(image=...) boots it",
                       .log = {}});
  std::vector<std::vector<ImageEntry>> layers{below};
  if (busybox_) {
    layers.push_back(busybox_entries());
    layers.push_back({agent_entry()});
  }
  for (const Path& tree : trees_) layers.push_back(read_tree(tree, deadline));
  if (!metalog_.empty()) apply_metalog(layers.back(), metalog_);
  layers.push_back(entries_);
  std::vector<ImageEntry> entries = edited(compose(layers), edits_);
  std::map<std::string, std::uint64_t> sizes;
  for (ImageEntry& e : entries) {
    if (e.type != Type::file || !e.target.empty()) continue;
    e.size = e.source.empty() ? e.content.size() : static_cast<std::uint64_t>(look_at(e.source).st_size);
    sizes[e.path] = e.size;
  }
  for (ImageEntry& e : entries)
    if (e.type == Type::file && !e.target.empty()) e.size = sizes[e.target];
  return entries;
}

std::vector<ImageEntry> SeedImage::entries(const std::vector<ImageEntry>& below) const {
  if (archive_.empty()) return own_entries({}, below);
  // The kernel unpacks the additions after and over the archive, whose entries are told in their own order.
  std::vector<ImageEntry> all = list_archive(archive_);
  for (ImageEntry& e : own_entries()) all.push_back(std::move(e));
  return all;
}

}  // namespace kdev
