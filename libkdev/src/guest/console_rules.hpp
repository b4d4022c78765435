#pragma once
// What a guest's console looks like when its kernel crashes. Used line by line by vm/ (is something wrong?) and as a
// table by crash/ (what exactly?). Stateless and thread-safe.
#include <string_view>

namespace kdev::guest {

class ConsoleRules {
 public:
  virtual ~ConsoleRules() = default;
  /// The line (raw, may carry a timestamp, caller prefix, colours, '\r') begins a crash report.
  virtual bool begins_report(std::string_view line) const = 0;
  /// The line surely ends one: nothing of it comes after ("---[ end trace", KASAN's closing bar, ...).
  virtual bool ends_report(std::string_view line) const = 0;
  /// After this line the kernel does not go on ("Kernel panic - not syncing", "Rebooting in").
  virtual bool is_fatal(std::string_view line) const = 0;
};

}  // namespace kdev::guest
