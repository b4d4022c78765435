#pragma once
// Where guests and hypervisors meet: the guest lists plans by preference, the hypervisor says which it can do.
#include <string>

#include <kdev/path.hpp>

namespace kdev {

struct BootPlan {
  enum class Kind {
    direct_elf,      ///< uncompressed ELF kernel through its PVH note, with initrd and command line
    direct_image,    ///< the platform's boot image (bzImage), with initrd and command line
    disk_bios,       ///< firmware boots a disk
    disk_uefi,
  };
  Kind kind = Kind::direct_elf;
  Path kernel;
  Path initrd;
  std::string cmdline;
  bool operator==(const BootPlan&) const = default;
};

}  // namespace kdev
