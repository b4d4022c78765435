// Configuring FreeBSD: one of the tree's KERNCONFs or a given one, statements after it, all of it as one file
// without includes. The tree's config(8) has the last word when the kernel is built.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>

#include "guest/conf_merge.hpp"
#include "guest/conf_rules.hpp"
#include "guest/freebsd/build_make.hpp"
#include "guest/freebsd/config_tool.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/kernconf_lex.hpp"
#include "guest/freebsd/kernconf_read.hpp"
#include "guest/freebsd/presets.hpp"
#include "guest/nearest.hpp"

namespace kdev::guest {
namespace {

constexpr const char* modules_override = "makeoptions MODULES_OVERRIDE";

ConfigError refused(std::string reason, std::string hint) {
  return ConfigError(
      {.attempted = "configure a kernel", .reason = std::move(reason), .hint = std::move(hint), .log = {}});
}

/// Of these there is but one, so that the name is the value.
bool is_single(std::string_view keyword) {
  return keyword == "ident" || keyword == "maxusers" || keyword == "machine";
}

/// "options WITNESS" -> "options", "WITNESS"; "ident" -> "ident", "".
std::pair<std::string, std::string> parts_of(const std::string& option) {
  const std::size_t space = option.find(' ');
  if (space == option.npos) return {option, ""};
  return {option.substr(0, space), option.substr(space + 1)};
}

/// What a setting adds to a KERNCONF. config(8) keeps the first of two statements about one option, so what
/// was said before is taken back first.
std::string statements(const ConfSetting& setting) {
  const auto [keyword, name] = parts_of(setting.option);
  if (is_single(keyword))
    return fmt::format("{} {}\n", keyword, kernconf_item_text(keyword, setting.value, {}, false));
  std::string text;
  if (const std::string_view negation = kernconf_negation(keyword); !negation.empty())
    text = fmt::format("{} {}\n", negation, name);
  if (setting.value == "n") return text;
  std::optional<std::string_view> value;
  if (setting.value != "y" || keyword == "makeoptions") value = setting.value;
  return text + fmt::format("{} {}\n", keyword, kernconf_item_text(keyword, name, value, false));
}

std::string value_of(const KernconfEntry& entry) {
  return is_single(entry.keyword) ? entry.name : entry.value.value_or("y");
}

std::string option_of(const KernconfEntry& entry) {
  return is_single(entry.keyword) ? entry.keyword : entry.keyword + " " + entry.name;
}

class FreebsdConfRules final : public ConfRules {
 public:
  std::vector<ConfSetting> base_settings(std::string_view base) const override {
    return base == "tiny" ? freebsd_tiny_settings() : std::vector<ConfSetting>();
  }

  const std::vector<Preset>& presets() const override { return freebsd_presets(); }

  /// Kept with its kind. Without one: options are in capitals, devices are not.
  std::string option_name(std::string_view name) const override {
    if (name == "ident" || name == "maxusers") return std::string(name);
    const std::size_t space = name.find_first_of(" \t");
    std::string keyword, item;
    if (space == name.npos) {
      if (kernconf_keyword(name).empty()) item = name;  // else the name itself is missing
      const bool lower =
          std::any_of(item.begin(), item.end(), [](unsigned char c) { return std::islower(c); });
      keyword = lower ? "device" : "options";
    } else {
      keyword = kernconf_keyword(name.substr(0, space));
      item = name.substr(std::min(name.find_first_not_of(" \t", space), name.size()));
    }
    const bool good = !item.empty() && item.find_first_of(" \t\n\"=;,#") == item.npos;
    if (keyword.empty() || keyword.starts_with("no") || keyword == "machine" || !good)
      throw refused(
          fmt::format("\"{}\" cannot be an option's name", name),
          "\"options NAME\", \"device NAME\", \"makeoptions NAME\"...; NAME alone is an option when in "
          "capitals, else a device; \"ident\"");
    return keyword + " " + item;
  }

  std::string option_value(std::string_view text) const override {
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return std::string(quoted ? text.substr(1, text.size() - 2) : text);
  }

  std::vector<ConfSetting> parse_fragment(std::string_view text, const Path& file) const override {
    std::vector<ConfSetting> settings;
    for (const KernconfEntry& entry : KernconfFile::parse(text, file).entries()) {
      const std::string origin = fmt::format("fragment {}:{}", file.string(), entry.line);
      if (entry.keyword.starts_with("no"))
        settings.push_back({entry.keyword.substr(2) + " " + entry.name, "n", origin, true});
      else
        settings.push_back({option_of(entry), value_of(entry), origin, true});
    }
    return settings;
  }

  std::map<std::string, std::string> parse(std::string_view config) const override {
    std::map<std::string, std::string> values;
    for (const KernconfEntry& entry : KernconfFile::parse(config).entries()) {
      if (entry.keyword.starts_with("no"))
        values.erase(entry.keyword.substr(2) + " " + entry.name);
      else if (is_single(entry.keyword))
        values[entry.keyword] = entry.name;
      else
        values.emplace(option_of(entry), value_of(entry));
      if (entry.keyword == "machine") values["machine_arch"] = entry.value.value_or(entry.name);
    }
    return values;
  }

  Path running_config(Host& host) const override {
    // A kernel with INCLUDE_CONFIG_FILE has it in itself.
    const ProcessResult result = host.run({.argv = {"sysctl", "-n", "kern.conftxt"}});
    if (!result.ok() || result.out.find_first_not_of(" \n") == result.out.npos)
      throw refused("the running kernel does not hold its configuration (kern.conftxt)",
                    "a kernel built with INCLUDE_CONFIG_FILE does; or start from tiny or defconfig");
    const Path file = host.home() / ".cache/kdev/running-kernconf";
    host.make_directories(file.parent_path());
    host.write_file(file, result.out);
    return file;
  }

  std::vector<ConfSetting> initramfs(const Path&) const override {
    throw refused("a FreeBSD kernel is not built with its first file system",
                  "give the image to the VM: the kernel gets it as a memory disk");
  }

  bool sets_places(std::string_view variable) const override {
    for (const char* own : {"KERNCONF", "KERNCONFDIR", "KERNFAST", "MAKEOBJDIRPREFIX", "DESTDIR", "SRCCONF",
                            "SRC_ENV_CONF", "__MAKE_CONF", "INSTKERNNAME"})
      if (variable == own) return true;
    return false;
  }

  bool configures(std::string_view path) const override {
    return path.starts_with("sys/") && (path.find("/conf/") != path.npos || path.starts_with("sys/modules/"));
  }

  bool tool_source(std::string_view) const override { return false; }  // nothing of the tree's is run

  Path checker(Host& host, const Path& root, const Path& source,
               const std::map<std::string, std::string>& make_variables) const override {
    const Path tool = freebsd_obj_top(root, source, make_variables) / "tmp/legacy/usr/sbin/config";
    return host.is_file(tool) ? tool : Path();
  }
  void check(const ConfCheck& request) const override { freebsd_run_config(request); }

  ResolvedConf configure(const ConfigureRequest& request) const override {
    Host& host = request.host;
    const Path conf_dir = request.source / "sys" / freebsd_target(request.make_variables).machine / "conf";
    std::vector<Path> dirs = {conf_dir};
    if (!request.base_file.empty()) dirs.push_back(request.base_file.parent_path());

    ResolvedConf result;
    const MergedSettings merged = merge_settings(request.settings);
    result.overridden = merged.overridden;
    std::vector<ConfSetting> settings = with_modules(host, request.source, merged.final, result.lost);
    for (;;) {
      const KernconfFile file = merge(request, settings);
      const KernconfSummary summary = summarize_kernconf(host, file, request.source, dirs);
      const std::vector<KernconfProblem> problems = check_kernconf(host, summary, request.source);
      // What was asked for only where the tree has it goes without a word.
      const auto dropped = std::erase_if(settings, [&](const ConfSetting& setting) {
        return !setting.wanted &&
               std::any_of(problems.begin(), problems.end(),
                           [&](const KernconfProblem& p) { return option_of(p.entry) == setting.option; });
      });
      if (dropped) continue;
      explain(problems, settings, result.lost);
      result.text = flatten_kernconf(host, file, request.source, dirs).text();
      break;
    }
    result.values = parse(result.text);
    return result;
  }

 private:
  static KernconfFile merge(const ConfigureRequest& request, const std::vector<ConfSetting>& settings) {
    std::string text;
    if (request.base == "tiny")
      text = "include MINIMAL\n";
    else if (request.base == "defconfig")
      text = "include GENERIC\n";
    else
      text = request.base_text + "\n";
    for (const ConfSetting& setting : settings) text += statements(setting);
    return KernconfFile::parse(text, request.base_file);
  }

  /// "m" stands for a module that is built with the kernel: sys/modules/NAME. Where the configuration names
  /// its modules (MODULES_OVERRIDE) it is added to them; where it does not, all are built.
  static std::vector<ConfSetting> with_modules(Host& host, const Path& source,
                                               std::vector<ConfSetting> settings,
                                               std::vector<LostOption>& lost) {
    const Path folder = source / "sys/modules";
    std::string names;
    for (const ConfSetting& setting : settings) {
      if (setting.value != "m") continue;
      const std::string name = parts_of(setting.option).second;
      if (host.is_file(folder / name / "Makefile")) {
        names += (names.empty() ? "" : " ") + name;
        continue;
      }
      std::vector<std::string> known;
      for (const DirectoryEntry& entry : host.entries(folder))
        if (entry.status.is_directory()) known.push_back(entry.name);
      lost.push_back({.asked = setting,
                      .got = std::nullopt,
                      .type = "",
                      .depends = "",
                      .unmet = {},
                      .nearest = nearest_names(name, known)});
    }
    std::erase_if(settings, [](const ConfSetting& setting) { return setting.value == "m"; });
    for (ConfSetting& setting : settings)
      if (setting.option == modules_override && !names.empty())
        setting.value += (setting.value.empty() ? "" : " ") + names;
    return settings;
  }

  /// Each problem as a lost option of whoever asked for it.
  static void explain(const std::vector<KernconfProblem>& problems, const std::vector<ConfSetting>& settings,
                      std::vector<LostOption>& lost) {
    for (const KernconfProblem& problem : problems) {
      const KernconfEntry& entry = problem.entry;
      if (problem.what == "missing")
        throw refused(fmt::format("the configuration has no \"{}\" statement", entry.keyword),
                      entry.keyword == "ident" ? "name the kernel: set(\"ident\", \"MYKERNEL\")"
                                               : "include one of the tree's own, GENERIC or MINIMAL");
      const auto asked = std::find_if(settings.begin(), settings.end(), [&](const ConfSetting& setting) {
        return setting.option == option_of(entry);
      });
      const ConfSetting of_the_file{option_of(entry), value_of(entry),
                                    fmt::format("{}:{}", entry.file.string(), entry.line), true};
      lost.push_back({.asked = asked != settings.end() ? *asked : of_the_file,
                      .got = std::nullopt,
                      .type = "",
                      .depends = "",
                      .unmet = {},
                      .nearest = problem.nearest});
    }
  }
};

}  // namespace

const ConfRules& freebsd_conf_rules() {
  static const FreebsdConfRules rules;
  return rules;
}

}  // namespace kdev::guest
