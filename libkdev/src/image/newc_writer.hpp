#pragma once
// Writing "newc" cpio archives (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst) with
// libarchive.
#include <functional>
#include <kdev/seed_image.hpp>
#include <string>
#include <vector>

namespace kdev {

/// Takes the archive's bytes. What it throws ends the writing and passes to the caller.
using ByteSink = std::function<void(std::string_view)>;

/// Writes composed entries (see compose()) as one archive: mtime 0, inodes counted from 1, the data of a file
/// that has several names with the last of them, as the kernel wants it. Returns the key of what was written
/// (see content_key()).
std::string write_newc(const std::vector<ImageEntry>& entries, Compression compression,
                       const Path& base_archive, const ByteSink& sink, const Deadline& deadline);

}  // namespace kdev
