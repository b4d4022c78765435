#include "image/compose.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>
#include <map>
#include <set>

#include "image/guest_path.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;

[[noreturn]] void bad_path(const std::string& path, std::string why) {
  throw ConfigError({.attempted = fmt::format("put {} into an image", path.c_str()),
                     .reason = std::move(why),
                     .hint = "",
                     .log = {}});
}

bool is_link(const ImageEntry& entry) {
  return entry.type == Type::file && !entry.target.empty();
}

class Composer {
 public:
  void put(ImageEntry entry);
  std::vector<ImageEntry> take();

 private:
  std::string resolve_parents(const std::string& path) const;
  void make_room(const std::string& path, const ImageEntry& incoming);
  void forget(const std::string& path);
  void add_parents(const std::string& path);

  std::map<std::string, ImageEntry> entries_;
  std::map<std::string, std::set<std::string>> links_;  ///< a file's first name, and its further ones
};

/// The path with symbolic links among its parents followed, as the guest's kernel would when it unpacks.
std::string Composer::resolve_parents(const std::string& path) const {
  std::string rest = path, done;
  for (int links = 0; !rest.empty();) {
    const std::size_t end = rest.find('/', 1);
    const std::string part = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end);
    if (part == "/..") {  // of a link's target; above the root is the root
      done = done.empty() ? "" : done.substr(0, done.rfind('/'));
      continue;
    }
    done += part;
    if (rest.empty()) break;
    const auto found = entries_.find(done);
    if (found == entries_.end() || found->second.type == Type::dir) continue;
    if (found->second.type != Type::symlink) bad_path(path, done + " is in the image and is no directory");
    if (++links > 40) bad_path(path, "too many symbolic links at " + done);
    const std::string& target = found->second.target;
    const std::string above = target.starts_with('/') ? "" : done.substr(0, done.rfind('/'));
    rest = normal_guest_path(above + "/" + target + rest);
    done.clear();
  }
  return done.empty() ? "/" : done;
}

void Composer::add_parents(const std::string& path) {
  for (std::string p = parent_of(path); p != "/" && !entries_.contains(p); p = parent_of(p))
    entries_[p] = {.type = Type::dir, .path = p, .mode = 0755};
}

/// Takes a name away. When it was the first of several names of a file, the file stays under the next one.
void Composer::forget(const std::string& path) {
  const ImageEntry old = entries_.at(path);
  entries_.erase(path);
  if (is_link(old)) links_[old.target].erase(path);
  const auto found = links_.find(path);
  if (found == links_.end()) return;
  std::set<std::string> others = std::move(found->second);
  links_.erase(found);
  if (others.empty()) return;
  const std::string heir = *others.begin();
  others.erase(others.begin());
  entries_[heir] = old;
  entries_[heir].path = heir;
  for (const std::string& other : others) entries_[other].target = heir;
  links_[heir] = std::move(others);
}

void Composer::make_room(const std::string& path, const ImageEntry& incoming) {
  const auto old = entries_.find(path);
  if (old == entries_.end() || (old->second.type == Type::dir && incoming.type == Type::dir)) return;
  if (old->second.type == Type::dir) {
    const auto below = entries_.lower_bound(path + "/");
    if (below != entries_.end() && below->first.starts_with(path + "/"))
      bad_path(path, "a directory with content is already there");
  }
  forget(path);
}

void Composer::put(ImageEntry entry) {
  if (entry.path.empty() || entry.path[0] != '/') bad_path(entry.path, "the path is not absolute");
  if (entry.path.find('\0') != std::string::npos) bad_path(entry.path, "the path holds a NUL byte");
  if (leads_out(entry.path)) bad_path(entry.path, "the path holds \"..\"");
  entry.path = resolve_parents(normal_guest_path(entry.path));
  if (entry.path == "/") {
    if (entry.type == Type::dir) return;  // the kernel made the root; an archive has no entry for it
    bad_path(entry.path, "the root can only be a directory");
  }
  if (is_link(entry)) {
    entry.target = resolve_parents(normal_guest_path(entry.target));
    auto first = entries_.find(entry.target);
    if (first != entries_.end() && is_link(first->second)) first = entries_.find(first->second.target);
    if (first == entries_.end() || first->second.type != Type::file)
      bad_path(entry.path, "it is a hard link of " + entry.target + ", which is no file of the image");
    if (first->first == entry.path) return;
    const std::string path = entry.path;
    entry = first->second;  // one file: mode, owner and size are the same under each name
    entry.path = path;
    entry.target = first->first;
    entry.source.clear();
    entry.content.clear();
  }
  const auto old = entries_.find(entry.path);
  // Copied into where the link leads.
  if (old != entries_.end() && entry.type == Type::dir && old->second.type == Type::symlink) return;
  make_room(entry.path, entry);
  add_parents(entry.path);
  if (is_link(entry)) links_[entry.target].insert(entry.path);
  entries_[entry.path] = std::move(entry);
}

std::vector<ImageEntry> Composer::take() {
  std::vector<ImageEntry> out;
  out.reserve(entries_.size());
  for (auto& [path, entry] : entries_) out.push_back(std::move(entry));
  return out;
}

}  // namespace

std::vector<ImageEntry> compose(const std::vector<std::vector<ImageEntry>>& layers) {
  Composer composer;
  for (const auto& layer : layers)
    for (const ImageEntry& entry : layer) composer.put(entry);
  return composer.take();
}

}  // namespace kdev
