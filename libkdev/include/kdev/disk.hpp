#pragma once
#include <kdev/export.hpp>
#include <kdev/path.hpp>
#include <string>
#include <string_view>

namespace kdev {

/// A disk of a VM, in the order in which the guest finds them (virtio-blk: FreeBSD's vtbd0, Linux's vda). A
/// value.
struct KDEV_API Disk {
  /// What is on it; empty: nothing. NAME.qcow2 is one of QEMU's, every other a raw image: contents are never
  /// asked, a guest could write there what it likes.
  Path file{};
  /// "2G": of a blank disk; what `file` is grown to. Empty: as large as the file.
  std::string size{};
  /// False: what the guest writes goes to the VM's own folder, and goes with it. True: into `file`, which is
  /// made when it is not there and `size` is given.
  bool keep = false;
  bool read_only = false;
  std::string serial{};  ///< 20 characters at most; what the guest can tell disks apart by

  /// An empty disk that goes with its VM.
  static Disk blank(std::string size);

  bool operator==(const Disk&) const = default;
  std::string to_json() const;
  static Disk from_json(std::string_view json);
};

}  // namespace kdev
