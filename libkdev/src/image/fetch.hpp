#pragma once
// Files from URLs, by libcurl: kept, resumed, verified.
#include <kdev/deadline.hpp>
#include <kdev/event.hpp>
#include <kdev/path.hpp>
#include <string>
#include <string_view>

namespace kdev {

struct FetchRequest {
  std::string url{};        ///< http, https or file
  std::string sha256{};     ///< hex; empty: from `checksums`, else not verified
  std::string checksums{};  ///< URL of a checksum file that names it; empty: none
};

/// The file in a cache folder (made when missing), fetched when it is not there yet. What an earlier call
/// left unfinished is gone on with, if the server still has the same. Safe for any number of processes at
/// once: one fetches, the others wait. HostError when the transfer fails (what came stays, and is gone on
/// with next time), FormatError when the checksum is another (the file is removed) or the checksum file does
/// not name it.
Path fetch(const FetchRequest& request, const Path& cache_dir, const EventSink& on_event,
           const Deadline& deadline);

/// The SHA-256 that a checksum file gives for a file: "SHA256 (NAME) = HEX", or "HEX  NAME". Empty: it does
/// not name it.
std::string checksum_of(std::string_view text, std::string_view name);

}  // namespace kdev
