#pragma once
#include <kdev/seed_image.hpp>
#include <vector>

namespace kdev {

/// Everything below a directory, sorted by path: owned by root, with the modes, links and device numbers it
/// has here. Further names of one file are entries whose `target` is its first name. HostError when something
/// cannot be read.
std::vector<ImageEntry> read_tree(const Path& dir, const Deadline& deadline = {});

}  // namespace kdev
