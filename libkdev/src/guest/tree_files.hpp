#pragma once
// Looking at source trees: no errors, only answers.
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <string>
#include <vector>

#include "guest/guest.hpp"

namespace kdev::guest {

/// The first `limit` bytes of a regular file; empty when it cannot be read.
std::string head_of(Host& host, const Path& file, std::size_t limit = 65536);
/// Sorts names into found and missing; a name that ends in '/' must be a folder, others must be files.
TreeMarks look_for(Host& host, const Path& dir, const std::vector<std::string>& names);

/// Absolute, links resolved, no trailing '/'.
Path resolved_tree(Host& host, const Path& path);

}  // namespace kdev::guest
