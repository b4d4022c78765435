#pragma once
// Where a guest keeps what DumpSettings says. Stateless and thread-safe.
#include <kdev/conf_edit.hpp>
#include <kdev/dump_settings.hpp>
#include <string>
#include <vector>

namespace kdev::guest {

class DumpRules {
 public:
  virtual ~DumpRules() = default;
  /// Changes to an image's files. ConfigError for values that the guest does not know.
  virtual std::vector<ConfEdit> image_edits(const DumpSettings& settings) const = 0;
  /// Commands for a running guest. ConfigError for what only a boot can change.
  virtual std::vector<std::vector<std::string>> commands(const DumpSettings& settings) const = 0;
};

}  // namespace kdev::guest
