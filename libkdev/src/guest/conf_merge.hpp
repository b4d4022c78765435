#pragma once
#include <kdev/kern_conf.hpp>
#include <vector>

namespace kdev::guest {

/// The settings that count in merge order (the last for each option, in the order of first appearance), and
/// those that a later one of another value replaced.
struct MergedSettings {
  std::vector<ConfSetting> final;
  std::vector<ConfSetting> overridden;
};
MergedSettings merge_settings(const std::vector<ConfSetting>& settings);

}  // namespace kdev::guest
