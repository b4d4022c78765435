#pragma once
// Disk images as they are handed around: packed, mostly zeros.
#include <kdev/deadline.hpp>
#include <kdev/path.hpp>

namespace kdev {

/// The image itself in a cache folder (made when missing), when `file` is a packed one (NAME.xz, .gz, .zst,
/// .bz2, told by its content); made when it is not there yet, with holes where it has zeros. Else the file.
/// Atomic; HostError, FormatError for damaged data.
Path unpack_disk(const Path& file, const Path& cache_dir, const Deadline& deadline);

}  // namespace kdev
