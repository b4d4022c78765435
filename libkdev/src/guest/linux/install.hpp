#pragma once
#include <kdev/host.hpp>
#include <kdev/kernel_artifact.hpp>
#include <string>

namespace kdev::guest {

/// BuildRules::install_kernel(): what `make install modules_install` leaves in /boot and /lib/modules, with
/// vmlinux where debuggers look for it.
InstalledKernel linux_install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                     const std::string& name);

}  // namespace kdev::guest
