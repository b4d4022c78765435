#pragma once
// From the disks that a VM shall have to the files that its machine opens.
#include <kdev/deadline.hpp>
#include <kdev/disk.hpp>
#include <vector>

#include "hypervisor/hypervisor.hpp"

namespace kdev::vm {

/// Makes what is not there yet: blank disks and overlays in `dir`, the VM's folder, where they stay from one
/// boot to the next; files that are kept. ConfigError for disks that cannot be, HostError.
std::vector<hypervisor::MachineDisk> prepare_disks(const std::vector<Disk>& disks, const Path& dir,
                                                   const hypervisor::Hypervisor& hypervisor,
                                                   const Deadline& deadline);

}  // namespace kdev::vm
