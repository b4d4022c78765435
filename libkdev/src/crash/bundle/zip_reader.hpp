#pragma once
#include <functional>
#include <kdev/deadline.hpp>
#include <string>
#include <string_view>

namespace kdev::crash {

/// Takes a member's content, piece by piece.
using ZipSink = std::function<void(std::string_view)>;

/// Goes through a zip archive in order, by libarchive. `wanted`: what takes a member's content; null: nobody
/// does. Only plain files are shown. The names are as they are in the archive: they may be anything. FormatError:
/// it is none, or damaged, or has far too many members; TimeoutError, Interrupted.
void read_zip(int fd, const std::string& attempted, const Deadline& deadline,
              const std::function<ZipSink(const std::string& name)>& wanted);

/// The content of a file that zstd compressed, to `take`. Likewise.
void expand_zstd(int fd, const std::string& attempted, const Deadline& deadline, const ZipSink& take);

}  // namespace kdev::crash
