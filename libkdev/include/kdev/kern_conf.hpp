#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>

namespace kdev {

class Workspace;

/// One asked-for setting and who asked. Option names carry no CONFIG_ prefix; values are written as in .config:
/// "y", "m", "n", a number, a hex number, a string without quotes.
struct ConfSetting {
  std::string option;
  std::string value;
  std::string origin;  ///< "base tiny", "preset debug", "fragment FILE:LINE", "user"
  bool wanted = true;  ///< false: dropped silently where the tree does not know it (bases and presets over many versions)
  bool operator==(const ConfSetting&) const = default;
};

/// One difference between two configs; an absent value means "not there".
struct ConfDiff {
  std::string option;
  std::optional<std::string> left, right;
  bool operator==(const ConfDiff&) const = default;
};

/// An asked-for option that the tree's own olddefconfig did not keep.
struct LostOption {
  ConfSetting asked;
  std::optional<std::string> got;     ///< nothing: the tree does not know the option
  std::string type;                   ///< as Kconfig declares it: "bool", "tristate", "string", "int", "hex"; empty: unknown
  std::string depends;                ///< its dependency expression, as in Kconfig
  std::vector<std::string> unmet;     ///< the parts of it that are not met: "MODULES=n"
  std::vector<std::string> nearest;   ///< known options with a similar name, when unknown
  bool operator==(const LostOption&) const = default;
};

/// The outcome of merging and running the tree's own configuration tool.
struct ResolvedConf {
  std::string text;                          ///< the full .config
  std::map<std::string, std::string> values; ///< set options only ("n" ones are absent)
  std::vector<LostOption> lost;              ///< of the wanted ones; resolve() throws when not empty
  std::vector<ConfSetting> overridden;       ///< settings that a later layer replaced, in merge order
};

/// What a kernel is to be configured as: an immutable value, a base and layers over it. Every call returns a new value.
/// Nothing is checked against a tree before resolve() or Workspace::build().
class KDEV_API KernConf {
 public:
  /// Bases. `tiny` boots in a VM on little more than serial, virtio, proc, sysfs and modules.
  static KernConf tiny(const Workspace& ws);
  static KernConf tiny(Os os = Os::linux);
  static KernConf defconfig(Os os = Os::linux);
  /// The running kernel's (Linux: /proc/config.gz, else /boot/config-$(uname -r)). ConfigError when it is not to be
  /// found, or this machine does not run an `os`.
  static KernConf running(Os os = running_os());
  /// A whole .config.
  static KernConf file(const Path& path, Os os = Os::linux);

  /// "debug", "kasan", "lockdep", "coverage", "debuggable", "network"...: ConfigError lists the known ones.
  KernConf preset(std::string_view name) const;
  static std::vector<std::string> preset_names(Os os = Os::linux);
  KernConf enable(std::string_view option) const;
  KernConf disable(std::string_view option) const;
  KernConf module(std::string_view option) const;
  KernConf set(std::string_view option, std::string_view value) const;
  /// A file of CONFIG_X=y, "# CONFIG_X is not set" lines (merge_config.sh's format).
  KernConf fragment(const Path& path) const;
  /// Kbuild variables for the make command line, e.g. {"KCFLAGS", "-O1"}; part of the artifact's key.
  KernConf make_variable(std::string_view name, std::string_view value) const;
  /// What the kernel holds its first file system from (Linux: CONFIG_INITRAMFS_SOURCE, an archive, a directory, or a
  /// gen_init_cpio list); its content is part of the key.
  KernConf initramfs_source(const Path& path) const;

  Os os() const { return os_; }
  const std::string& base() const { return base_; }
  const Path& base_file() const { return base_file_; }
  /// Every setting in merge order: later ones win.
  const std::vector<ConfSetting>& settings() const { return settings_; }
  const std::map<std::string, std::string>& make_variables() const { return make_variables_; }
  const std::vector<std::string>& presets() const { return presets_; }
  /// The merge order as a table for people.
  std::string describe() const;
  /// Settings of this one against another, without a tree.
  std::vector<ConfDiff> diff(const KernConf& other) const;

  /// Merges, runs the tree's own olddefconfig, checks every wanted setting. ConfigError names each lost option, its
  /// unmet dependencies and who asked for it.
  ResolvedConf resolve(const Workspace& ws, const Deadline& deadline = {}) const;
  /// The same without throwing for lost ones.
  ResolvedConf try_resolve(const Workspace& ws, const Deadline& deadline = {}) const;

  bool operator==(const KernConf&) const = default;
  std::string to_json() const;
  static KernConf from_json(std::string_view json);

 private:
  KernConf with(ConfSetting setting) const;
  Os os_ = Os::linux;
  std::string base_;
  Path base_file_;
  std::vector<ConfSetting> settings_;
  std::vector<std::string> presets_;
  std::map<std::string, std::string> make_variables_;
};

/// Differences between two complete configurations of one OS, in its own form (Linux: .config).
KDEV_API std::vector<ConfDiff> diff_configs(std::string_view left, std::string_view right, Os os = Os::linux);

}  // namespace kdev
