#pragma once
#include <kdev/host.hpp>
#include <kdev/source_tree.hpp>
#include <optional>
#include <string>

namespace kdev {

/// "~" and "~/..." by the host's home folder, absolute, without "." and "..". ConfigError for "~name" and "".
Path expand_user(Host& host, const Path& path);

/// ConfigError: the workspace cannot be opened.
[[noreturn]] void refuse_workspace(const Path& root, std::string reason, std::string hint);

/// What ROOT/workspace.json remembers.
struct WorkspaceFile {
  Path source;
  Os os = Os::linux;
};

Path workspace_file(const Path& root);
/// Nothing when the folder is no workspace. ConfigError when the file cannot be understood, or a later kdev
/// wrote it.
std::optional<WorkspaceFile> read_workspace_file(Host& host, const Path& root);
void write_workspace_file(Host& host, const Path& root, const WorkspaceFile& content);

/// ConfigError when a workspace at `root` would write to the source tree, or into folders that are somebody's
/// own.
void check_root(Host& host, const Path& root, const Path& source, bool is_workspace);
/// Makes what is missing of the folders; run/ is for this user alone.
void make_layout(Host& host, const Path& root);

}  // namespace kdev
