#pragma once
// How a guest's kernel is configured. KernConf (a base and settings over it) is the same for every guest;
// these rules turn it into the tree's own form: a .config for Linux's Kconfig, a KERNCONF file for FreeBSD's
// config(8), where an option's value "y" is a bare `options NAME`, "n" is `nooptions NAME`, and names carry
// their kind ("device virtio"). Stateless and thread-safe.
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

/// A named set of settings that is layered over a base.
struct Preset {
  std::string name;
  std::string summary;                                ///< one line for people
  std::vector<ConfSetting> settings;                  ///< origin is filled in
  std::map<std::string, std::string> make_variables;  ///< merged into the conf's
};

/// What configuring needs to know.
struct ConfigureRequest {
  Host& host;
  Path source;   ///< the tree; only read
  Path scratch;  ///< output folder of the rules' own: it may hold what an earlier call left there
  Path run;      ///< folder of leases: the tree's tool runs under one
  std::string
      state;  ///< stands for the tree's configuration files, the tools and the variables: equal means equal
  std::string base;
  Path base_file;                     ///< for the bases "file" and "running", a file of this machine
  std::string base_text;              ///< its content
  std::vector<ConfSetting> settings;  ///< in merge order, all of them
  std::map<std::string, std::string> make_variables;
  Deadline deadline;
};

/// What checking a configuration needs to know.
struct ConfCheck {
  Host& host;
  Path tool;                                   ///< ConfRules::checker()
  Path source;                                 ///< the tree; only read
  Path scratch;                                ///< a folder to be made and removed
  Path run;                                    ///< folder of leases
  const std::string& text;                     ///< ResolvedConf::text
  const std::vector<ConfSetting>& settings{};  ///< who asked for what
  const std::map<std::string, std::string>& make_variables{};
  Deadline deadline{};
};

class ConfRules {
 public:
  virtual ~ConfRules() = default;
  /// What the base adds over what the tree itself makes for that name; empty for a base that adds nothing.
  virtual std::vector<ConfSetting> base_settings(std::string_view base) const = 0;
  virtual const std::vector<Preset>& presets() const = 0;
  /// An option's name as kdev keeps it (Linux: without CONFIG_). ConfigError when it cannot be a name.
  virtual std::string option_name(std::string_view name) const = 0;
  /// An option's value as kdev keeps it: a string's quotes are taken off, but where the bare text would mean
  /// something else (Linux: y, m, n, a number).
  virtual std::string option_value(std::string_view text) const = 0;
  /// The lines of a fragment as settings; origin "fragment FILE:LINE". ConfigError names a line that makes no
  /// sense.
  virtual std::vector<ConfSetting> parse_fragment(std::string_view text, const Path& file) const = 0;
  /// A complete configuration's options and values, the "n" ones left out.
  virtual std::map<std::string, std::string> parse(std::string_view config) const = 0;
  /// The configuration file (plain, or .gz) of the host's kernel, which is this guest's. ConfigError says
  /// where it was looked for.
  virtual Path running_config(Host& host) const = 0;
  /// What puts a first file system into the kernel; `path` is absolute and there. ConfigError when this guest
  /// cannot take it.
  virtual std::vector<ConfSetting> initramfs(const Path& path) const = 0;
  /// A make variable that says where things are built: the workspace's to set, not the configuration's.
  virtual bool sets_places(std::string_view make_variable) const = 0;
  /// Whether a change of this file of the tree (path relative to it) can change what configure() makes.
  virtual bool configures(std::string_view path) const = 0;
  /// Whether the tree's configuration tool itself is made from this file, or made by it.
  virtual bool tool_source(std::string_view path) const = 0;
  /// Merges and runs the tree's own tool. Lost options are in the result, not thrown; ConfigError for what
  /// makes it impossible (the tree's tool fails), HostError for a missing program.
  virtual ResolvedConf configure(const ConfigureRequest& request) const = 0;
  /// The tree's tool that a build reads the configuration with, where configure() cannot run it: it is built
  /// with the toolchain of the workspace at `root`. Empty: not there yet, or configure() did run it.
  virtual Path checker(Host&, const Path& /*root*/, const Path& /*source*/,
                       const std::map<std::string, std::string>& /*make_variables*/) const {
    return {};
  }
  /// Runs it. ConfigError with what it says, where, and who asked for that.
  virtual void check(const ConfCheck&) const {}
};

}  // namespace kdev::guest
