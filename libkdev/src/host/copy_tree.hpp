#pragma once
#include <kdev/host.hpp>

namespace kdev {

/// A folder with all it holds, to a name of the same host; links stay links, other kinds are left out. What
/// is there already keeps its place beside it. HostError, also when a file of a name is there.
void copy_tree(Host& host, const Path& from, const Path& to);

/// The same in place of whatever is there, which stays until the copy is whole.
void replace_tree(Host& host, const Path& from, const Path& to);

}  // namespace kdev
