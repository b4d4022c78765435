#pragma once
// File systems made of entries without root, by makefs(8) from a list of what is in them (mtree(5)).
#include <kdev/deadline.hpp>
#include <kdev/seed_image.hpp>
#include <string>
#include <vector>

namespace kdev {

/// KDEV_MAKEFS, else makefs in PATH. HostError when there is none.
Path find_makefs();

/// What makefs reads. `content`: for each file, by index of its entry, where makefs finds its content.
std::string makefs_manifest(const std::vector<ImageEntry>& entries, const std::vector<std::string>& content);

/// Runs it on the entries in `folder`, an empty one, where it leaves the file "image". Device nodes, pipes
/// and sockets are left out: a kernel that takes such a file system has one of its own for devices.
/// HostError.
void run_makefs(const Path& makefs, const std::vector<std::string>& options,
                const std::vector<ImageEntry>& entries, const Path& folder, const Deadline& deadline);

/// What to do about a makefs that cannot do this.
inline constexpr const char* another_makefs =
    "let KDEV_MAKEFS name a makefs built from the kernel's own tree (usr.sbin/makefs)";

}  // namespace kdev
