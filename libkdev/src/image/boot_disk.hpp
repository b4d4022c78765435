#pragma once
// Disks that firmware boots, made without root.
#include <kdev/deadline.hpp>
#include <kdev/seed_image.hpp>

#include "guest/disk_layout.hpp"

namespace kdev {

/// The layout's disk with the image's entries as its root, a raw file with holes in a cache folder (made when
/// missing), named by content; made when it is not there yet, by the image's makefs and mkimg (the host's
/// where it has none). ConfigError for an archive; HostError.
Path realize_boot_disk(const SeedImage& image, const guest::DiskLayout& layout, const Path& cache_dir,
                       const Deadline& deadline);

}  // namespace kdev
