#include "workspace/layout.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

#include "common/json.hpp"

namespace kdev {
namespace {

constexpr int kFormat = 1;

/// With what exists of it resolved, so that links do not hide where it is.
Path resolved(Host& host, const Path& path) {
  Path there = path, rest;
  try {
    while (!there.empty() && !host.exists(there)) {
      rest = rest.empty() ? there.filename() : there.filename() / rest;
      there = there.parent_path();
    }
    const Path base = there.empty() ? there : host.canonical(there);
    return rest.empty() ? base : base / rest;
  } catch (const HostError&) {
    return path;
  }
}

bool is_within(const Path& path, const Path& folder) {
  auto p = path.begin();
  for (auto f = folder.begin(); f != folder.end(); ++f, ++p)
    if (p == path.end() || *p != *f) return false;
  return true;
}

}  // namespace

void refuse_workspace(const Path& root, std::string reason, std::string hint) {
  throw ConfigError({.attempted = "open the workspace " + root.string(),
                     .reason = std::move(reason),
                     .hint = std::move(hint),
                     .log = {}});
}

Path expand_user(Host& host, const Path& path) {
  if (path.empty()) refuse_workspace(path, "no path was given", "name a folder");
  const std::string text = path.string();
  Path full = path;
  if (text[0] == '~') {
    if (text.size() > 1 && text[1] != '/')
      refuse_workspace(path, "only ~ and ~/ are expanded", "write the full path, or ./" + text);
    full = host.home() / text.substr(std::min<std::size_t>(2, text.size()));
  }
  full = host.absolute(full);
  // "/a/b/" would have an empty last name.
  return full.filename_is_dot() || full.filename().empty() ? full.parent_path() : full;
}

Path workspace_file(const Path& root) {
  return root / "workspace.json";
}

std::optional<WorkspaceFile> read_workspace_file(Host& host, const Path& root) {
  const Path file = workspace_file(root);
  if (!host.exists(file)) return {};
  const std::string hint =
      fmt::format("remove {} to start afresh; nothing else in the workspace is lost", file.string());
  try {
    const json::object o = json::parse_object(host.read_file(file), file.string());
    if (json::get_int(o, "format") > kFormat)
      refuse_workspace(root, "a later version of kdev made it", "update kdev");
    WorkspaceFile content = {.source = json::get_path(o, "source"),
                             .os = os_from_string(json::get_string(o, "os", to_string(WorkspaceFile{}.os)))};
    if (content.source.empty()) refuse_workspace(root, file.string() + " names no source tree", hint);
    return content;
  } catch (const FormatError& e) {
    refuse_workspace(root, fmt::format("{} is damaged: {}", file.string(), e.reason()), hint);
  }
}

void write_workspace_file(Host& host, const Path& root, const WorkspaceFile& content) {
  const std::string source = content.source.string();
  if (json::utf8(source) != source)
    refuse_workspace(root, "the source tree's path is not UTF-8",
                     "move the tree, or name it through a symbolic link");
  const json::object o = {{"format", kFormat}, {"source", source}, {"os", to_string(content.os)}};
  host.write_file(workspace_file(root), json::dump(o, true) + "\n");
}

void check_root(Host& host, const Path& root, const Path& source, bool is_workspace) {
  const FileStatus status = host.status(root);
  if (status.exists() && !status.is_directory())
    refuse_workspace(root, "it is a file, not a folder", "name a folder");
  if (is_within(resolved(host, root), resolved(host, source)))
    refuse_workspace(root,
                     fmt::format("it lies in the source tree {}, which is never written to", source.string()),
                     "use a folder outside of the source tree");
  if (is_workspace) return;
  for (const char* name : {"obj", "sysroot", "artifacts", "run"})
    if (host.is_directory(root / name) && !host.entries(root / name).empty())
      refuse_workspace(root, fmt::format("it is no workspace, and has a folder {} with files in it", name),
                       "use an empty or a new folder");
}

void make_layout(Host& host, const Path& root) {
  for (const char* name : {"src", "obj", "sysroot", "artifacts", "run"}) host.make_directories(root / name);
  // Sockets and guests' memory are in it.
  const Path run = root / "run";
  if (host.status(run).mode != 0700) host.set_mode(run, 0700);
}

}  // namespace kdev
