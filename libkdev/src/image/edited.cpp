#include "image/edited.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "image/compose.hpp"
#include "image/content.hpp"
#include "image/guest_path.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;

/// Where a path leads, as the guest's kernel would go: links followed, also among its parents, ".." taken.
std::string resolved(const std::vector<ImageEntry>& entries, const std::string& path) {
  std::string rest = normal_guest_path(path), done;
  for (int links = 0; !rest.empty() && rest != "/";) {
    const std::size_t end = rest.find('/', 1);
    const std::string part = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end);
    if (part == "/..") {  // above the root is the root
      done = done.empty() ? "" : done.substr(0, done.rfind('/'));
      continue;
    }
    const std::string here = done + part;
    const auto at =
        std::find_if(entries.begin(), entries.end(), [&](const ImageEntry& e) { return e.path == here; });
    const bool link = at != entries.end() && (at->type == Type::symlink || is_hard_link(*at));
    if (!link) {
      done = here;
      continue;
    }
    if (++links > 40) return path;
    rest = normal_guest_path((at->target.starts_with('/') ? "" : done) + "/" + at->target + rest);
    done.clear();
  }
  return done.empty() ? "/" : done;
}

template <class Entries>
auto find(Entries& entries, const std::string& path) -> decltype(&entries.front()) {
  const auto at =
      std::find_if(entries.begin(), entries.end(), [&](const ImageEntry& e) { return e.path == path; });
  return at == entries.end() ? nullptr : &*at;
}

std::string text_of(const ImageEntry& entry) {
  return entry.source.empty() ? entry.content : local_host()->read_file(entry.source);
}

}  // namespace

std::vector<ImageEntry> edited(std::vector<ImageEntry> entries, const std::vector<ConfEdit>& edits) {
  for (const ConfEdit& edit : edits) {
    const std::string path = resolved(entries, edit.file);
    ImageEntry* entry = find(entries, path);
    if (!entry) {
      std::vector<ImageEntry> made(1);
      made[0].path = path;
      made[0].mode = 0644;
      made[0].content = edit.applied_to("");
      entries = compose({std::move(entries), std::move(made)});
      continue;
    }
    if (entry->type != Type::file)
      throw ConfigError({.attempted = fmt::format("change {} in an image", edit.file),
                         .reason = "it is no file there",
                         .hint = "",
                         .log = {}});
    entry->content = edit.applied_to(text_of(*entry));
    entry->source.clear();
  }
  return entries;
}

std::string text_in(const std::vector<ImageEntry>& entries, const std::string& path) {
  const ImageEntry* entry = find(entries, resolved(entries, path));
  return entry && entry->type == Type::file ? text_of(*entry) : std::string();
}

}  // namespace kdev
