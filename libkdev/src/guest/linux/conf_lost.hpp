#pragma once
// Which asked-for options the tree's olddefconfig did not keep, and why.
#include <kdev/host.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <vector>

namespace kdev::guest {

/// Whether the configuration has the option at the asked-for value (absent is n, 0x10 is 0x0010).
bool conf_has(const std::map<std::string, std::string>& values, const ConfSetting& asked);

/// The settings (one for each option) that `values` does not have, each with its reason from the tree's
/// Kconfig files. Settings that are not wanted are left out. Reads Kconfig only when something is lost.
std::vector<LostOption> find_lost(Host& host, const std::vector<ConfSetting>& final_settings,
                                  const std::map<std::string, std::string>& values, const Path& source,
                                  const std::string& arch);

}  // namespace kdev::guest
