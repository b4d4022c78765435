// detect_source(): which guest's tree is it, and when it is none: why not, and what may have been meant.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/source_tree.hpp>

#include "guest/guest.hpp"
#include "guest/tree_files.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
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

std::optional<SourceTree> any_tree(const Path& path) {
  for (const Guest* g : all_guests())
    if (auto tree = g->detect(path)) return tree;
  return {};
}

/// Trees right below: an unpacked tarball's parent was named.
std::vector<std::string> trees_below(const Path& path) {
  std::vector<std::string> found;
  boost::system::error_code ec;
  int looked_at = 0;
  for (fs::directory_iterator entry(path, ec), end; !ec && entry != end; entry.increment(ec)) {
    if (++looked_at > kSubfoldersLookedAt) break;
    boost::system::error_code ignored;
    if (fs::is_directory(entry->path(), ignored) && any_tree(entry->path()))
      found.push_back(entry->path().string());
  }
  std::sort(found.begin(), found.end());
  if (found.size() > 3) found.resize(3);
  return found;
}

/// The tree that `path` is a part of.
std::optional<Path> tree_above(const Path& path) {
  boost::system::error_code ec;
  const Path absolute = fs::canonical(path, ec);
  if (ec) return {};
  for (Path up = absolute.parent_path(); !up.empty() && up != up.parent_path(); up = up.parent_path())
    if (any_tree(up)) return up;
  return {};
}

bool is_archive(const Path& path) {
  const std::string name = path.filename().string();
  return name.find(".tar") != std::string::npos || path.extension() == ".tgz" || path.extension() == ".txz";
}

void refuse_what_is_no_folder(const Path& path) {
  boost::system::error_code ec;
  const fs::file_status status = fs::status(path, ec);
  if (status.type() == fs::file_not_found) {
    if (fs::is_symlink(fs::symlink_status(path, ec)))
      refuse(path, "the link points nowhere", "check what it points to");
    refuse(path, "there is no such folder", "check the path, or unpack a kernel's sources there");
  }
  if (status.type() == fs::status_error) refuse(path, ec.message(), "check owner and permissions");
  if (!fs::is_directory(status))
    refuse(path, "it is a file, not a folder",
           is_archive(path) ? fmt::format("unpack it first: tar xf {}", path.string())
                            : "name the folder of the sources");
  fs::directory_iterator first(path, ec);
  if (ec) refuse(path, ec.message(), "check owner and permissions");
  if (first == fs::directory_iterator())
    refuse(path, "the folder is empty", "unpack a kernel's sources there");
}

/// A build's output folder: its Makefile or its "source" link leads to the tree.
std::optional<Path> source_of_output(const Path& path) {
  boost::system::error_code ec;
  const Path link = path / "source";
  if (!fs::exists(path / ".config", ec) || !fs::is_symlink(fs::symlink_status(link, ec))) return {};
  const Path target = fs::canonical(link, ec);
  if (ec || !any_tree(target)) return {};
  return target;
}

}  // namespace

SourceTree detect_source(const Path& path) {
  if (path.empty()) refuse(path, "no path was given", "name the folder of a kernel's sources");
  if (auto tree = any_tree(path)) return *tree;
  refuse_what_is_no_folder(path);
  if (auto source = source_of_output(path))
    refuse(path, "it is the output of a build, not a source tree", "did you mean " + source->string() + "?");
  if (const auto below = trees_below(path); !below.empty())
    refuse(path, "it is no kernel source tree, but holds one",
           fmt::format("did you mean {}?", fmt::join(below, " or ")));
  if (auto above = tree_above(path))
    refuse(path, "it is a part of a source tree, not its top", "did you mean " + above->string() + "?");
  // Headers packages and broken checkouts have some of it: say what is not there.
  for (const Guest* g : all_guests()) {
    const TreeMarks marks = g->marks(path);
    if (marks.found.size() < 2) continue;
    refuse(path,
           fmt::format("it looks like {} ({}), but has no {}", to_string(g->os()),
                       fmt::join(marks.found, ", "), fmt::join(marks.missing, ", ")),
           "a headers package is not enough: use the full sources");
  }
  std::vector<std::string> wanted;
  for (const Guest* g : all_guests())
    wanted.push_back(fmt::format("{}: {}", to_string(g->os()), fmt::join(g->marks(path).missing, ", ")));
  refuse(
      path,
      fmt::format("no kernel source tree: it has none of what one would have ({})", fmt::join(wanted, "; ")),
      "name the top folder of a kernel's sources");
}

}  // namespace kdev
