#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/workspace.hpp>

#include "guest/conf_rules.hpp"
#include "guest/guest.hpp"
#include "host/hostfs.hpp"

namespace kdev {
namespace {

const guest::ConfRules& rules_for(Os os) {
  if (const guest::ConfRules* rules = guest::guest_for(os).conf()) return *rules;
  throw ConfigError({.attempted = "configure a kernel",
                     .reason = fmt::format("configuring {} is not there yet", to_string(os)),
                     .hint = "",
                     .log = {}});
}

ConfigError refused(std::string reason, std::string hint = {}) {
  return ConfigError(
      {.attempted = "configure a kernel", .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

Path existing_file(const Path& path) {
  const Path absolute = hostfs::absolute(path).lexically_normal();
  if (!hostfs::is_file(absolute)) throw refused(fmt::format("{} is no file", absolute.string()));
  return absolute;
}

}  // namespace

KernConf KernConf::tiny(const Workspace& ws) {
  return tiny(ws.tree().os);
}

KernConf KernConf::tiny(Os os) {
  KernConf conf;
  conf.os_ = os;
  conf.base_ = "tiny";
  conf.settings_ = rules_for(os).base_settings("tiny");
  return conf;
}

KernConf KernConf::defconfig(Os os) {
  KernConf conf;
  conf.os_ = os;
  conf.base_ = "defconfig";
  conf.settings_ = rules_for(os).base_settings("defconfig");
  return conf;
}

KernConf KernConf::running() {
  KernConf conf;
  conf.base_ = "running";
  conf.base_file_ = rules_for(conf.os_).running_config();
  if (conf.base_file_.empty())
    throw refused("the running kernel's configuration is neither in /proc/config.gz nor in /boot",
                  "load the module 'configs', install the kernel's package, or start from tiny or defconfig");
  conf.settings_ = rules_for(conf.os_).base_settings("running");
  return conf;
}

KernConf KernConf::file(const Path& path, Os os) {
  KernConf conf;
  conf.os_ = os;
  conf.base_ = "file";
  conf.base_file_ = existing_file(path);
  conf.settings_ = rules_for(os).base_settings("file");
  return conf;
}

KernConf KernConf::with(ConfSetting setting) const {
  KernConf conf = *this;
  conf.settings_.push_back(std::move(setting));
  return conf;
}

KernConf KernConf::preset(std::string_view name) const {
  for (const guest::Preset& preset : rules_for(os_).presets()) {
    if (preset.name != name) continue;
    KernConf conf = *this;
    conf.settings_.insert(conf.settings_.end(), preset.settings.begin(), preset.settings.end());
    conf.presets_.push_back(preset.name);
    for (const auto& [variable, value] : preset.make_variables) {
      std::string& own = conf.make_variables_[variable];
      own = own.empty() ? value : own + " " + value;
    }
    return conf;
  }
  throw refused(fmt::format("there is no preset \"{}\"", name),
                fmt::format("presets are: {}", fmt::join(preset_names(os_), ", ")));
}

std::vector<std::string> KernConf::preset_names(Os os) {
  std::vector<std::string> names;
  for (const guest::Preset& preset : rules_for(os).presets()) names.push_back(preset.name);
  return names;
}

KernConf KernConf::set(std::string_view option, std::string_view value) const {
  if (value.find('\n') != value.npos)
    throw refused(fmt::format("the value of {} has a line end in it", option));
  const guest::ConfRules& rules = rules_for(os_);
  return with({rules.option_name(option), rules.option_value(value), "user", true});
}

KernConf KernConf::enable(std::string_view option) const {
  return set(option, "y");
}
KernConf KernConf::disable(std::string_view option) const {
  return set(option, "n");
}
KernConf KernConf::module(std::string_view option) const {
  return set(option, "m");
}

KernConf KernConf::fragment(const Path& path) const {
  const Path file = existing_file(path);
  KernConf conf = *this;
  std::vector<ConfSetting> settings = rules_for(os_).parse_fragment(local_host()->read_file(file), file);
  conf.settings_.insert(conf.settings_.end(), settings.begin(), settings.end());
  return conf;
}

KernConf KernConf::make_variable(std::string_view name, std::string_view value) const {
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  if (!good) throw refused(fmt::format("\"{}\" cannot be the name of a make variable", name));
  // Where things are built is not the configuration's business.
  if (name == "O" || name == "M" || name == "KBUILD_OUTPUT" || name == "KBUILD_EXTMOD" ||
      name == "INSTALL_MOD_PATH")
    throw refused(fmt::format("the make variable {} is the workspace's to set", name));
  KernConf conf = *this;
  conf.make_variables_[std::string(name)] = value;
  return conf;
}

KernConf KernConf::initramfs_source(const Path& path) const {
  const Path absolute = hostfs::absolute(path).lexically_normal();
  if (!hostfs::exists(absolute))
    throw refused(fmt::format("{} for INITRAMFS_SOURCE does not exist", absolute.string()));
  if (absolute.string().find_first_of(" \t\"") != std::string::npos)
    throw refused(
        fmt::format("INITRAMFS_SOURCE is a list split at spaces: {} cannot be in it", absolute.string()));
  return set("BLK_DEV_INITRD", "y").set("INITRAMFS_SOURCE", absolute.string());
}

}  // namespace kdev
