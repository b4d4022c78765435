#pragma once
#include <kdev/export.hpp>
#include <string>
#include <string_view>

namespace kdev {

/// One change to a configuration file of a guest; what it does not name stays as it is, comments and order
/// too. A file that is not there begins empty. A value.
struct KDEV_API ConfEdit {
  enum class Action {
    set,        ///< NAME="value", as sysrc(8) sets it: rc.conf, loader.conf, device.hints
    append,     ///< one more word of the value, unless it is there; ",word" separates by commas
    subtract,   ///< one word less
    remove,     ///< every assignment goes
    line,       ///< `value` is a line of its own, unless it is there: fstab, authorized_keys
    directive,  ///< "NAME value", the first line of that name (also one that is commented out): sshd_config
  };
  Action action = Action::set;
  std::string file{};   ///< in the guest, absolute
  std::string name{};   ///< of a variable or a keyword; none for lines
  std::string value{};  ///< none for remove

  /// The file's text after the change. ConfigError for what is no name, or a value that no line can hold.
  std::string applied_to(std::string_view text) const;

  bool operator==(const ConfEdit&) const = default;
  std::string to_json() const;
  static ConfEdit from_json(std::string_view json);
};

}  // namespace kdev
