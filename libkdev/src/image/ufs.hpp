#pragma once
// Images as UFS2 file systems.
#include <kdev/deadline.hpp>
#include <kdev/seed_image.hpp>
#include <vector>

namespace kdev {

struct UfsOptions {
  Path makefs;  ///< the program: one of the BSD that the file system is for, or built from its tree
  std::uint64_t free_bytes = 32u << 20;  ///< for the guest to write
  /// What a crash leaves can be mounted again; a file system in memory has no use for it.
  bool soft_updates = false;
};

/// Atomic. HostError when makefs fails or makes no UFS2; nothing is left then.
void make_ufs(const std::vector<ImageEntry>& entries, const Path& file, const UfsOptions& options,
              const Deadline& deadline);

/// The image in a cache folder (made when missing), named by content and options; made when it is not there
/// yet. ConfigError for an archive; HostError.
Path realize_ufs(const SeedImage& image, const Path& cache_dir, const UfsOptions& options,
                 const Deadline& deadline);

}  // namespace kdev
