#include "guest/conf_merge.hpp"

#include <map>
#include <string>

namespace kdev::guest {

MergedSettings merge_settings(const std::vector<ConfSetting>& settings) {
  MergedSettings merged;
  std::map<std::string, std::size_t> at;
  for (const ConfSetting& setting : settings) {
    const auto [found, fresh] = at.try_emplace(setting.option, merged.final.size());
    if (fresh) {
      merged.final.push_back(setting);
      continue;
    }
    ConfSetting& old = merged.final[found->second];
    if (old.value != setting.value) merged.overridden.push_back(old);
    // Asked for twice alike: whoever insists on it is named when it gets lost.
    if (old.value != setting.value || setting.wanted || !old.wanted) old = setting;
  }
  return merged;
}

}  // namespace kdev::guest
