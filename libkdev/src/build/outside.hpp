#pragma once
// Content that a configuration names outside the source tree.
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <string>
#include <vector>

#include "build/file_hashes.hpp"

namespace kdev {

/// Digest over files, folders with all they hold (modes and links too), and what gen_init_cpio lists among
/// the files name. A path that is missing counts as missing.
std::string outside_digest(Host& host, const std::vector<Path>& inputs, FileHashes& hashes,
                           const Deadline& deadline);

/// The host files that the "file" lines of a gen_init_cpio list (usr/gen_init_cpio.c) name; empty for any
/// other file.
std::vector<Path> cpio_list_files(const std::string& text);

}  // namespace kdev
