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

template <class Entries>
auto find(Entries& entries, std::string path) -> decltype(&entries.front()) {
  for (int links = 0; links < 16; ++links) {
    const auto at =
        std::find_if(entries.begin(), entries.end(), [&](const ImageEntry& e) { return e.path == path; });
    if (at == entries.end()) return nullptr;
    if (is_hard_link(*at))
      path = at->target;
    else if (at->type == Type::symlink)
      path = normal_guest_path(at->target.starts_with('/') ? at->target : parent_of(path) + "/" + at->target);
    else
      return &*at;
  }
  return nullptr;
}

std::string text_of(const ImageEntry& entry) {
  return entry.source.empty() ? entry.content : local_host()->read_file(entry.source);
}

}  // namespace

std::vector<ImageEntry> edited(std::vector<ImageEntry> entries, const std::vector<ConfEdit>& edits) {
  for (const ConfEdit& edit : edits) {
    const std::string path = normal_guest_path(edit.file);
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
  const ImageEntry* entry = find(entries, path);
  return entry && entry->type == Type::file ? text_of(*entry) : std::string();
}

}  // namespace kdev
