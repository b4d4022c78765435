#pragma once
#include <kdev/path.hpp>
#include <string>
#include <utility>

#include "host/unique_fd.hpp"

namespace kdev {

// Unix sockets in a directory whose path may be longer than sun_path's 108 bytes: the address used is
// /proc/self/fd/DIRFD/NAME. All descriptors are close-on-exec. HostError with the path and errno's text.

/// A listening stream socket DIR/NAME, mode 0600. A stale socket of that name is replaced; any other file is
/// an error. The caller removes the file.
UniqueFd listen_unix(const Path& dir, const std::string& name, int backlog = 1);
/// Connected to DIR/NAME; blocking. HostError when nobody listens.
UniqueFd connect_unix(const Path& dir, const std::string& name);

}  // namespace kdev
