#pragma once
#include <kdev/deadline.hpp>
#include <memory>
#include <string>
#include <vector>

#include "crash/core/media.hpp"

namespace kdev::crash {

/// A dump's file ready to be read anywhere: itself, or its content in a temporary without a name when it is
/// compressed or flattened.
struct CoreFile {
  std::unique_ptr<FileBytes> bytes;
  std::string compression;            ///< "gzip", "zstd"; empty: it is not
  bool flattened = false;             ///< it was
  std::vector<std::string> problems;  ///< the data is cut off
};

/// HostError; FormatError when nothing of a compressed file can be unpacked.
CoreFile open_core_file(const Path& file, const std::string& attempted, const Deadline& deadline);

/// Of a file that is compressed: "gzip", "zstd"; empty: it is not.
std::string compression_of(const guest::CoreBytes& bytes);
std::string first_bytes(const guest::CoreBytes& bytes, std::size_t size);
/// The first bytes of what a compressed file holds; fewer when it is damaged.
std::string unpacked_head(const guest::CoreBytes& bytes, std::size_t size);

/// For messages: what a file, which is not what was hoped for, is instead: "an ELF core file", "a qcow2
/// image", ...
std::string kind_of_file(const guest::CoreBytes& bytes);

}  // namespace kdev::crash
