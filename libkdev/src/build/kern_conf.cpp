#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/workspace.hpp>

#include "build/conf_rules_for.hpp"
#include "host/hostfs.hpp"

namespace kdev {
namespace {

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
  conf.settings_ = conf_rules_for(os).base_settings("tiny");
  return conf;
}

KernConf KernConf::defconfig(Os os) {
  KernConf conf;
  conf.os_ = os;
  conf.base_ = "defconfig";
  conf.settings_ = conf_rules_for(os).base_settings("defconfig");
  return conf;
}

KernConf KernConf::running(Os os) {
  if (const Os ours = running_os(); os != ours)
    throw refused(fmt::format("this machine's kernel is {}'s, not {}'s", os_title(ours), os_title(os)),
                  "start from another base");
  KernConf conf;
  conf.os_ = os;
  conf.base_ = "running";
  conf.base_file_ = conf_rules_for(os).running_config(*local_host());
  conf.settings_ = conf_rules_for(os).base_settings("running");
  return conf;
}

KernConf KernConf::file(const Path& path, Os os) {
  KernConf conf;
  conf.os_ = os;
  conf.base_ = "file";
  conf.base_file_ = existing_file(path);
  conf.settings_ = conf_rules_for(os).base_settings("file");
  return conf;
}

KernConf KernConf::with(ConfSetting setting) const {
  KernConf conf = *this;
  conf.settings_.push_back(std::move(setting));
  return conf;
}

KernConf KernConf::preset(std::string_view name) const {
  for (const guest::Preset& preset : conf_rules_for(os_).presets()) {
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
  for (const guest::Preset& preset : conf_rules_for(os).presets()) names.push_back(preset.name);
  return names;
}

KernConf KernConf::set(std::string_view option, std::string_view value) const {
  if (value.find('\n') != value.npos)
    throw refused(fmt::format("the value of {} has a line end in it", option));
  const guest::ConfRules& rules = conf_rules_for(os_);
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
  std::vector<ConfSetting> settings = conf_rules_for(os_).parse_fragment(local_host()->read_file(file), file);
  conf.settings_.insert(conf.settings_.end(), settings.begin(), settings.end());
  return conf;
}

KernConf KernConf::make_variable(std::string_view name, std::string_view value) const {
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  if (!good) throw refused(fmt::format("\"{}\" cannot be the name of a make variable", name));
  if (conf_rules_for(os_).sets_places(name))
    throw refused(fmt::format("the make variable {} is the workspace's to set", name));
  KernConf conf = *this;
  conf.make_variables_[std::string(name)] = value;
  return conf;
}

KernConf KernConf::initramfs_source(const Path& path) const {
  const Path absolute = hostfs::absolute(path).lexically_normal();
  if (!hostfs::exists(absolute)) throw refused(fmt::format("{} does not exist", absolute.string()));
  KernConf conf = *this;
  for (ConfSetting& setting : conf_rules_for(os_).initramfs(absolute)) conf = conf.with(std::move(setting));
  return conf;
}

}  // namespace kdev
