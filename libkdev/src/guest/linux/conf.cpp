// Configuring Linux: a base made by the tree (tinyconfig, defconfig) or given, settings over it,
// olddefconfig.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>

#include "guest/conf_merge.hpp"
#include "guest/conf_rules.hpp"
#include "guest/linux/build_make.hpp"
#include "guest/linux/conf_lost.hpp"
#include "guest/linux/conf_text.hpp"
#include "guest/linux/linux.hpp"
#include "guest/linux/presets.hpp"

namespace kdev::guest {
namespace {

std::vector<ConfSetting> with_origin(std::vector<ConfSetting> settings, const std::string& origin) {
  for (ConfSetting& setting : settings) setting.origin = origin;
  return settings;
}

class LinuxConfRules final : public ConfRules {
 public:
  std::vector<ConfSetting> base_settings(std::string_view base) const override {
    std::vector<ConfSetting> settings;
    if (base == "tiny" || base == "defconfig")
      settings = with_origin(linux_common_settings(), "base " + std::string(base));
    if (base == "tiny")
      settings.insert(settings.end(), linux_tiny_settings().begin(), linux_tiny_settings().end());
    // A distribution's kernel names certificates that only its packaging has.
    if (base == "running")
      for (const char* keys : {"SYSTEM_TRUSTED_KEYS", "SYSTEM_REVOCATION_KEYS"})
        settings.push_back({keys, "", "base running", false});
    return settings;
  }

  const std::vector<Preset>& presets() const override { return linux_presets(); }

  std::string option_name(std::string_view name) const override {
    std::string_view bare = name;
    if (bare.starts_with("CONFIG_")) bare.remove_prefix(7);
    const bool good = !bare.empty() && std::all_of(bare.begin(), bare.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '_';
    });
    if (!good)
      throw ConfigError({.attempted = "configure a kernel",
                         .reason = fmt::format("\"{}\" cannot be an option's name", name),
                         .hint = "letters, digits and _, with or without CONFIG_ in front",
                         .log = {}});
    return std::string(bare);
  }

  std::string option_value(std::string_view text) const override {
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return quoted ? kept_value(text.substr(1, text.size() - 2), true) : std::string(text);
  }

  std::vector<ConfSetting> parse_fragment(std::string_view text, const Path& file) const override {
    std::vector<ConfSetting> settings;
    int number = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string where = fmt::format("{}:{}", file.string(), ++number);
      if (auto line = parse_conf_line(text.substr(0, end), where))
        settings.push_back(
            {std::move(line->option), kept_value(line->value, line->quoted), "fragment " + where, true});
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return settings;
  }

  std::map<std::string, std::string> parse(std::string_view config) const override {
    return parse_conf(config);
  }

  Path running_config(Host& host) const override {
    std::string release = host.run({.argv = {"uname", "-r"}}).out;
    while (!release.empty() && std::isspace(static_cast<unsigned char>(release.back()))) release.pop_back();
    for (const Path& candidate : {Path("/proc/config.gz"), Path("/boot/config-" + release)})
      if (host.exists(candidate)) return candidate;
    throw ConfigError(
        {.attempted = "configure a kernel",
         .reason = "the running kernel's configuration is neither in /proc/config.gz nor in /boot",
         .hint = "load the module 'configs', install the kernel's package, or start from tiny or defconfig",
         .log = {}});
  }

  std::vector<ConfSetting> initramfs(const Path& path) const override {
    if (path.string().find_first_of(" \t\"") != std::string::npos)
      throw ConfigError({.attempted = "configure a kernel",
                         .reason = fmt::format(
                             "INITRAMFS_SOURCE is a list split at spaces: {} cannot be in it", path.string()),
                         .hint = "",
                         .log = {}});
    return {{"BLK_DEV_INITRD", "y", "user", true}, {"INITRAMFS_SOURCE", path.string(), "user", true}};
  }

  bool sets_places(std::string_view variable) const override {
    return variable == "O" || variable == "M" || variable == "KBUILD_OUTPUT" || variable == "KBUILD_EXTMOD" ||
           variable == "INSTALL_MOD_PATH";
  }

  bool configures(std::string_view path) const override {
    // What Kconfig reads, the makefiles that call it, and the scripts that its macros run.
    const std::string_view file = path.substr(path.rfind('/') + 1);
    return path.starts_with("scripts/") || file.starts_with("Kconfig") || file.starts_with("Makefile") ||
           file == "Kbuild" || file.ends_with(".config") || path.find("/configs/") != path.npos;
  }

  bool tool_source(std::string_view path) const override {
    return path.starts_with("scripts/") || path == "Makefile";
  }

  ResolvedConf configure(const ConfigureRequest& request) const override {
    Host& host = request.host;
    host.make_directories(request.scratch);
    const Path file = request.scratch / ".config";
    const auto make = [&](const std::string& target) {
      RunOptions options;
      options.deadline = request.deadline;
      const MakeRequest what{.source = request.source,
                             .obj = request.scratch,
                             .targets = {target},
                             .jobs = host.cpu_count(),
                             .variables = request.make_variables,
                             .ccache = {},
                             .toolchain_id = {},
                             .root = {},
                             .digest = {}};
      options.lease_dir = request.run;
      options.lease_name = "configure";
      const ProcessResult result = host.run(linux_make(what), options);
      if (!result.ok()) fail(target, result);
    };
    std::string base;
    if (request.base == "tiny" || request.base == "defconfig") {
      // The same for every set of settings over it, so the last one is kept, its state before it.
      const Path kept = request.scratch / (".kdev-" + request.base);
      const std::string mark = request.state + "\n";
      if (!request.state.empty() && host.exists(kept)) base = host.read_file(kept);
      if (request.state.empty() || !base.starts_with(mark)) {
        make(request.base == "tiny" ? "tinyconfig" : "defconfig");
        base = mark + host.read_file(file);
        host.write_file(kept, base);
      }
      base.erase(0, mark.size());
    } else {
      base = request.base_text;
    }

    const MergedSettings merged = merge_settings(request.settings);
    std::vector<ConfSetting> final_settings = merged.final;
    ResolvedConf result;
    for (bool again : {true, false}) {
      host.write_file(file, merge_conf(base, final_settings));
      make("olddefconfig");
      result.text = host.read_file(file);
      result.values = parse_conf(result.text);
      result.lost =
          find_lost(host, final_settings, result.values, request.source, linux_arch(request.make_variables));
      if (!again || !promote_modules(final_settings, result.lost)) break;
    }
    result.overridden = merged.overridden;
    return result;
  }

 private:
  /// "m" of an option that cannot be a module means built in. True when there was one.
  static bool promote_modules(std::vector<ConfSetting>& settings, const std::vector<LostOption>& lost) {
    bool any = false;
    for (const LostOption& option : lost)
      if (option.asked.value == "m" && option.type == "bool")
        for (ConfSetting& setting : settings)
          if (setting.option == option.asked.option) any = true, setting.value = "y";
    return any;
  }

  [[noreturn]] static void fail(const std::string& target, const ProcessResult& result) {
    const std::string& text = result.err.empty() ? result.out : result.err;
    std::string reason = text.substr(text.size() > 2000 ? text.size() - 2000 : 0);
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    ErrorInfo info{.attempted = "make " + target,
                   .reason = fmt::format("{}: {}", describe(result.status), reason),
                   .hint = "",
                   .log = {}};
    if (text.find("No space left on device") != text.npos) throw HostError(info);
    info.hint = "the tree's own configuration tool refuses: its message is above";
    throw ConfigError(info);
  }
};

}  // namespace

const ConfRules& linux_conf_rules() {
  static const LinuxConfRules rules;
  return rules;
}

}  // namespace kdev::guest
