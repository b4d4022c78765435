// detect_source(): which guest's tree is it, and when it is none: why not, and what may have been meant.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/source_tree.hpp>

#include "guest/guest.hpp"
#include "guest/tree_files.hpp"

namespace kdev {
namespace {

using guest::all_guests;
using guest::Guest;
using guest::TreeMarks;

constexpr int kSubfoldersLookedAt = 500;

[[noreturn]] void refuse(const Path& path, std::string reason, std::string hint) {
  throw ConfigError({.attempted = "open the source tree " + path.string(),
                     .reason = std::move(reason),
                     .hint = std::move(hint),
                     .log = {}});
}

std::optional<SourceTree> any_tree(Host& host, const Path& path) {
  for (const Guest* g : all_guests())
    if (auto tree = g->detect(host, path)) return tree;
  return {};
}

/// Trees right below: an unpacked tarball's parent was named.
std::vector<std::string> trees_below(Host& host, const Path& path) {
  std::vector<std::string> found;
  int looked_at = 0;
  for (const Path& entry : host.list(path)) {
    if (++looked_at > kSubfoldersLookedAt) break;
    if (any_tree(host, entry)) found.push_back(entry.string());
  }
  if (found.size() > 3) found.resize(3);
  return found;
}

/// The tree that `path` is a part of.
std::optional<Path> tree_above(Host& host, const Path& path) {
  for (Path up = host.canonical(path).parent_path(); !up.empty() && up != up.parent_path();
       up = up.parent_path())
    if (any_tree(host, up)) return up;
  return {};
}

bool is_archive(const Path& path) {
  const std::string name = path.filename().string();
  return name.find(".tar") != std::string::npos || path.extension() == ".tgz" || path.extension() == ".txz";
}

void refuse_what_is_no_folder(Host& host, const Path& path) {
  const std::string hint = "check owner and permissions";
  try {
    const FileStatus status = host.status(path);
    if (!status.exists()) {
      if (host.link_status(path).exists()) refuse(path, "the link points nowhere", "check what it points to");
      refuse(path, "there is no such folder", "check the path, or unpack a kernel's sources there");
    }
    if (!status.is_directory())
      refuse(path, "it is a file, not a folder",
             is_archive(path) ? fmt::format("unpack it first: tar xf {}", path.string())
                              : "name the folder of the sources");
    if (host.entries(path).empty()) refuse(path, "the folder is empty", "unpack a kernel's sources there");
  } catch (const HostError& error) {
    refuse(path, error.reason(), hint);
  }
}

/// A build's output folder: its Makefile or its "source" link leads to the tree.
std::optional<Path> source_of_output(Host& host, const Path& path) {
  const Path link = path / "source";
  if (!host.exists(path / ".config") || host.link_status(link).type != FileStatus::Type::link ||
      !host.exists(link))
    return {};
  const Path target = host.canonical(link);
  if (!any_tree(host, target)) return {};
  return target;
}

}  // namespace

SourceTree detect_source(const Path& path) {
  return detect_source(*local_host(), path);
}

SourceTree detect_source(Host& host, const Path& path) {
  if (path.empty()) refuse(path, "no path was given", "name the folder of a kernel's sources");
  if (auto tree = any_tree(host, path)) return *tree;
  refuse_what_is_no_folder(host, path);
  if (auto source = source_of_output(host, path))
    refuse(path, "it is the output of a build, not a source tree", "did you mean " + source->string() + "?");
  if (const auto below = trees_below(host, path); !below.empty())
    refuse(path, "it is no kernel source tree, but holds one",
           fmt::format("did you mean {}?", fmt::join(below, " or ")));
  if (auto above = tree_above(host, path))
    refuse(path, "it is a part of a source tree, not its top", "did you mean " + above->string() + "?");
  // Headers packages and broken checkouts have some of it: say what is not there.
  for (const Guest* g : all_guests()) {
    const TreeMarks marks = g->marks(host, path);
    if (marks.found.size() < 2) continue;
    refuse(path,
           fmt::format("it looks like {} ({}), but has no {}", to_string(g->os()),
                       fmt::join(marks.found, ", "), fmt::join(marks.missing, ", ")),
           "a headers package is not enough: use the full sources");
  }
  std::vector<std::string> wanted;
  for (const Guest* g : all_guests())
    wanted.push_back(
        fmt::format("{}: {}", to_string(g->os()), fmt::join(g->marks(host, path).missing, ", ")));
  refuse(
      path,
      fmt::format("no kernel source tree: it has none of what one would have ({})", fmt::join(wanted, "; ")),
      "name the top folder of a kernel's sources");
}

}  // namespace kdev
