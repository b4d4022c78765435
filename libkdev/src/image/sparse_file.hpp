#pragma once
// Files with holes: what takes no space on the host.
#include <cstdint>
#include <kdev/path.hpp>

namespace kdev {

/// A new file of holes only. HostError; nothing is left then.
void make_sparse_file(const Path& file, std::uint64_t size);

/// Bytes that a file takes on its disk, which holes do not.
std::uint64_t real_size(const Path& file);

}  // namespace kdev
