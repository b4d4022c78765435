#pragma once
// Layers of entries to the one list that an archive is written from.
#include <kdev/seed_image.hpp>
#include <vector>

namespace kdev {

/// The layers laid over each other, later ones over earlier ones, as copying them into one directory would: a
/// file replaces what stood at its path, a directory keeps what is below it. Paths are normalised; an entry
/// below a symbolic link to a directory goes where the link leads (/bin -> usr/bin); missing parents are made
/// (0755, root); the result is sorted by path. ConfigError for a path that is not absolute, leads out, or
/// goes through something that is no directory.
std::vector<ImageEntry> compose(const std::vector<std::vector<ImageEntry>>& layers);

}  // namespace kdev
