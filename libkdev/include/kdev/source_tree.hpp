#pragma once
#include <string>

#include <kdev/export.hpp>
#include <kdev/path.hpp>

// GCC's GNU modes (-std=gnu++20, its default) define `linux` as 1, which no conforming program can use.
#undef linux

namespace kdev {

enum class Os { linux, freebsd };
KDEV_API std::string to_string(Os os);
KDEV_API Os os_from_string(std::string_view name);  ///< ConfigError when unknown
KDEV_API std::string os_title(Os os);               ///< for people: "Linux", "FreeBSD"
/// The OS of the kernel that runs this program (uname -s). ConfigError when it is none of these.
KDEV_API Os running_os();

/// What a kernel source tree was recognised as.
struct SourceTree {
  Os os = Os::linux;
  Path path;            ///< absolute
  std::string version;  ///< "6.1.192" (Makefile's VERSION.PATCHLEVEL.SUBLEVEL EXTRAVERSION); "13.2-RELEASE"
  bool operator==(const SourceTree&) const = default;
};

/// Recognises the tree at `path`. ConfigError says what is missing when it is none.
KDEV_API SourceTree detect_source(const Path& path);
/// The same on another host: `path` is one of its own.
class Host;
KDEV_API SourceTree detect_source(Host& host, const Path& path);

}  // namespace kdev
