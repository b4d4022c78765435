#pragma once
// The tables of what the Linux bases and presets ask for. To add a preset, add an entry in presets.cpp.
#include <vector>

#include "guest/conf_rules.hpp"

namespace kdev::guest {

/// What base tiny asks for over `make tinyconfig`.
const std::vector<ConfSetting>& linux_tiny_settings();
/// What every base of the tree's own gets: settings that keep a build reproducible.
const std::vector<ConfSetting>& linux_common_settings();
const std::vector<Preset>& linux_presets();

}  // namespace kdev::guest
