#pragma once
// Images as UFS2 file systems, made by makefs(8) without root from a list of what is in them (mtree(5)).
#include <kdev/deadline.hpp>
#include <kdev/seed_image.hpp>
#include <string>
#include <vector>

namespace kdev {

struct UfsOptions {
  Path makefs;  ///< the program: one of the BSD that the file system is for, or built from its tree
  std::uint64_t free_bytes = 32u << 20;  ///< for the guest to write
};

/// The image in a cache folder (made when missing), named by content and options; made when it is not there
/// yet. Device nodes, pipes and sockets are left out: a kernel that takes this has a file system of its own
/// for devices. ConfigError for an archive; HostError when makefs fails or makes no UFS2.
Path realize_ufs(const SeedImage& image, const Path& cache_dir, const UfsOptions& options,
                 const Deadline& deadline);

/// KDEV_MAKEFS, else makefs in PATH. HostError when there is none.
Path find_makefs();

/// What makefs reads. `content`: for each file, by index of its entry, where makefs finds its content.
std::string ufs_manifest(const std::vector<ImageEntry>& entries, const std::vector<std::string>& content);

}  // namespace kdev
