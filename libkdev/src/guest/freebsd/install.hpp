#pragma once
#include <kdev/host.hpp>
#include <kdev/kernel_artifact.hpp>
#include <string>

namespace kdev::guest {

/// BuildRules::install_kernel(): what `make installkernel INSTKERNNAME=name DESTDIR=dest -DNO_ROOT` leaves.
InstalledKernel freebsd_install_kernel(Host& host, const KernelArtifact& kernel, const Path& dest,
                                       const std::string& name);

}  // namespace kdev::guest
