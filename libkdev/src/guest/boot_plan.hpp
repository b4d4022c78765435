#pragma once
// Where guests and hypervisors meet: the guest lists plans by preference, the hypervisor says which it can
// do.
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <vector>

namespace kdev {

/// What a kernel takes its first file system as.
enum class RootFormat {
  initramfs,  ///< a cpio archive
  ufs,        ///< an image of an UFS2 file system, in memory
};

struct BootPlan {
  enum class Kind {
    direct_elf,        ///< uncompressed ELF kernel through its PVH note, with initrd and command line
    direct_image,      ///< the platform's boot image (bzImage), with initrd and command line
    direct_multiboot,  ///< one file for a multiboot loader (Guest::prepare() makes it), all that follows in
                       ///< it
    disk_bios,         ///< firmware boots a disk
    disk_uefi,
  };
  Kind kind = Kind::direct_elf;
  Path kernel;
  Path initrd;  ///< the first file system
  std::string cmdline;
  std::vector<Path> modules = {};                       ///< linked with the kernel when it starts
  std::map<std::string, std::string> environment = {};  ///< the kernel's
  /// The machine's first disk holds all that it needs.
  bool boots_disk() const { return kind == Kind::disk_bios || kind == Kind::disk_uefi; }
  bool operator==(const BootPlan&) const = default;
};

}  // namespace kdev
