#pragma once
// UEFI firmware on this host, as its packages describe it to whoever starts QEMU (QEMU's
// docs/interop/firmware.json).
#include <kdev/path.hpp>
#include <optional>

namespace kdev::hypervisor {

struct Firmware {
  Path code;       ///< mapped read-only
  Path variables;  ///< the template of a machine's own
};

/// The first, by the packages' own order, that fits a q35 machine and wants no signed loaders. Nothing: none
/// is installed, or KDEV_UEFI_FIRMWARE names a folder of descriptions that has none.
std::optional<Firmware> find_firmware();

/// Copied from the template when it is not there: what a guest stores in it outlives its reboots. HostError.
void provide_uefi_variables(const Path& file);

/// In the machine's folder.
inline constexpr const char* uefi_variables = "uefi-variables.fd";

}  // namespace kdev::hypervisor
