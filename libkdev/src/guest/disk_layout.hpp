#pragma once
// What a disk holds that firmware shall boot: said by the guest, put together by image/.
#include <cstdint>
#include <functional>
#include <kdev/path.hpp>
#include <kdev/seed_image.hpp>
#include <string>
#include <variant>
#include <vector>

#include "guest/boot_plan.hpp"

namespace kdev::guest {

struct DiskPartition {
  /// An empty one.
  struct Blank {
    std::uint64_t size = 0;
  };
  /// A FAT file system, which UEFI reads.
  struct Fat {
    std::vector<ImageEntry> entries;
    std::uint64_t size = 0;
  };
  /// The file system of the image's entries.
  struct Root {};

  std::string type;                              ///< as the guest's tools name it
  std::string label;                             ///< by which the guest finds it
  std::variant<Path, Blank, Fat, Root> content;  ///< a path: what that file holds
};

/// A disk with a GUID partition table.
struct DiskLayout {
  Path boot_code;  ///< for the disk's first sector
  std::vector<DiskPartition> partitions;
  /// Of the root: `defaults` lie below what the image holds, `entries` above it.
  std::vector<ImageEntry> defaults, entries;
};

/// A change to a text file of the guest's.
struct FileChange {
  std::string path;
  std::function<std::string(const std::string& before)>
      change;  ///< `before` is empty when there is no such file
};

/// How a disk's root is mounted in a guest: scripts for its shell.
struct DiskMount {
  std::string mount;  ///< prints the disk's partitions; fails, saying why, when none is a root
  std::string unmount;
  std::string at;  ///< where the root is then
};

/// What a layout is made for.
struct DiskRequest {
  const KernelArtifact& kernel;
  const BootPlan& plan;
  Path boot;               ///< the boot loaders: UserlandArtifact::boot
  std::uint64_t swap = 0;  ///< bytes, which a crash dump has to fit in; 0: none
};

}  // namespace kdev::guest
