#pragma once
// What people pass to a FreeBSD kernel: variables, modules to load with it, flags.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kdev::guest {

struct KernelVariables {
  std::map<std::string, std::string> environment;
  std::string flags;                 ///< "-s -v", as behind "boot" at the loader's prompt
  std::vector<std::string> modules;  ///< whose NAME_load is yes (loader.conf(5))
};

/// Reads "-s -v name=value name="a b"", as people write it at the loader's prompt or into loader.conf.
/// ConfigError.
KernelVariables read_kernel_variables(const std::string& text);

/// The same from the text of a loader.conf(5); what is for the loader itself is left out.
KernelVariables read_loader_conf(const std::string& text);

/// Flags as reboot(2)'s howto (stand/common/boot.c, sys/sys/reboot.h), for a kernel on a serial console.
std::uint32_t howto_of(const std::string& flags);

/// Variables as loader.conf(5) has them, sorted. ConfigError for a value that no quotes can hold.
std::string loader_conf_text(const std::map<std::string, std::string>& environment, const std::string& flags);

}  // namespace kdev::guest
