#pragma once
// The tables of what the FreeBSD bases and presets ask for. To add a preset, add an entry in presets.cpp.
#include <vector>

#include "guest/conf_rules.hpp"

namespace kdev::guest {

/// What base tiny asks for over the tree's MINIMAL.
const std::vector<ConfSetting>& freebsd_tiny_settings();
const std::vector<Preset>& freebsd_presets();

}  // namespace kdev::guest
