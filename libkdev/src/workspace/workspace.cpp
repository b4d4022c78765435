#include <fmt/format.h>
#include <fmt/ranges.h>

#include <kdev/error.hpp>
#include <kdev/workspace.hpp>

#include "guest/build_rules.hpp"
#include "guest/guest.hpp"
#include "workspace/layout.hpp"
#include "workspace/lock.hpp"
#include "workspace/state.hpp"

namespace kdev {
namespace {

// Others hold it only while they open the workspace.
constexpr Seconds kOpenPatience{60.0};

/// What can be built.
std::vector<std::string> buildable() {
  std::vector<std::string> titles;
  for (const guest::Guest* g : guest::all_guests())
    if (g->build()) titles.push_back(os_title(g->os()));
  return titles;
}

/// The tree that was asked for or is remembered.
SourceTree find_tree(Host& host, const Path& root, const Path& asked,
                     const std::optional<WorkspaceFile>& remembered) {
  if (asked.empty() && !remembered)
    refuse_workspace(root, "it is new, and no source tree was named",
                     "give source=, the folder of a kernel's sources");
  if (asked.empty() && !host.exists(remembered->source))
    refuse_workspace(root, fmt::format("its source tree {} is gone", remembered->source.string()),
                     "if it was moved, open the workspace with source= and the new path");
  const SourceTree tree = detect_source(host, asked.empty() ? remembered->source : expand_user(host, asked));
  // A tree that was moved may be named anew.
  if (remembered && tree.path != remembered->source && host.exists(remembered->source))
    refuse_workspace(root,
                     fmt::format("it belongs to the source tree {}, not to {}", remembered->source.string(),
                                 tree.path.string()),
                     "open it without source=, or use another folder for the other tree");
  if (!guest::guest_for(tree.os).build())
    refuse_workspace(root,
                     fmt::format("{} trees are not supported yet ({} is {})", os_title(tree.os),
                                 tree.path.string(), tree.version),
                     fmt::format("use a tree of {}", fmt::join(buildable(), " or ")));
  return tree;
}

}  // namespace

Workspace::Workspace(const Path& path, WorkspaceOptions options) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.host = options.host ? std::move(options.host) : local_host();
  s.root = expand_user(*s.host, path);
  // All that can be wrong is found before anything is written.
  std::optional<WorkspaceFile> remembered = read_workspace_file(*s.host, s.root);
  s.tree = find_tree(*s.host, s.root, options.source, remembered);
  check_root(*s.host, s.root, s.tree.path, remembered.has_value());
  if (!remembered) guest::guest_for(s.tree.os).check_tree(*s.host, s.tree);

  s.host->make_directories(s.root);
  {
    const FileLock lock = FileLock::acquire(*s.host, s.root / "workspace.lock", "open the workspace",
                                            Deadline::after(kOpenPatience));
    // Another process may have made it in the meantime, for another tree.
    remembered = read_workspace_file(*s.host, s.root);
    if (remembered) s.tree = find_tree(*s.host, s.root, s.tree.path, remembered);
    if (!remembered || remembered->source != s.tree.path)
      write_workspace_file(*s.host, s.root, {.source = s.tree.path, .os = s.tree.os});
    make_layout(*s.host, s.root);
    guest::guest_for(s.tree.os).build()->prepare(*s.host, s.root);
  }
  s.reaped = s.host->reap(run());
}

Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

const Path& Workspace::root() const {
  return state_->root;
}
const Path& Workspace::source() const {
  return state_->tree.path;
}
const SourceTree& Workspace::tree() const {
  return state_->tree;
}
Host& Workspace::host() const {
  return *state_->host;
}
const std::vector<std::string>& Workspace::reaped() const {
  return state_->reaped;
}

}  // namespace kdev
