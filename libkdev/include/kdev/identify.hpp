#pragma once
#include <kdev/export.hpp>
#include <kdev/path.hpp>

namespace kdev {

/// What a crash left, as a file.
enum class CrashFile {
  console_log,  ///< text, for scan_file()
  report,       ///< JSON, for CrashReport::from_json()
  core,         ///< memory, in a format that Core reads; also compressed or flattened
  disk,  ///< an image of a disk or a partition with a dump on it, for lift_dump(); qcow2: perhaps with one
  text_dump,  ///< a tar, for read_text_dump(); also compressed
  bundle,     ///< a zip archive
};

/// What the file is, by its content (of a disk image also by its name: only NAME.qcow2 is one of QEMU's).
/// That what it holds is whole is not checked. FormatError when it is none of these: its reason says what it
/// is instead. HostError when it cannot be read.
KDEV_API CrashFile identify(const Path& file);

}  // namespace kdev
