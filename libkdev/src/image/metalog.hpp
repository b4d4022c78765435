#pragma once
// Owners and modes of files that were installed without root's rights, as a list beside them says (mtree(5); build(7) of
// FreeBSD, NO_ROOT).
#include <kdev/seed_image.hpp>
#include <vector>

namespace kdev {

/// Gives the entries the modes and owners that the list has for them; names of users and groups are looked up in the
/// entries' own /etc. What the list does not name stays. HostError when it cannot be read, FormatError for damaged ones.
void apply_metalog(std::vector<ImageEntry>& entries, const Path& metalog);

}  // namespace kdev
