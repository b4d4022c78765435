#pragma once
// The boot loaders of a FreeBSD tree (stand/): what a disk's first sectors and a guest's /boot hold.
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <string>
#include <string_view>

#include "guest/build_rules.hpp"

namespace kdev::guest {

/// Whether the tree has loaders and src.conf(5) does not leave them out (WITHOUT_BOOT).
bool freebsd_builds_loaders(Host& host, const MakeRequest& request);
/// One of the kernel's sources that the loaders, too, are made of.
bool freebsd_loader_source(std::string_view path);
/// Builds them. `inputs`: what the key says besides their own sources.
MakeStep freebsd_make_loaders(Host& host, const MakeRequest& request, const std::string& inputs);
/// Fills `boot` with what the tree installs as /boot: loaders for BIOS and EFI, the lua and forth scripts,
/// defaults/, device.hints. `scratch` is a folder to be made and removed. HostError.
void freebsd_install_loaders(Host& host, const MakeRequest& request, const Path& boot, const Path& scratch,
                             const RunOptions& run);

}  // namespace kdev::guest
