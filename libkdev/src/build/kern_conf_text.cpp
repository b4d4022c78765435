// KernConf for people, as JSON, and compared.
#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <kdev/kern_conf.hpp>

#include "build/conf_rules_for.hpp"
#include "common/json.hpp"

namespace kdev {
namespace {

std::vector<ConfDiff> diff_values(const std::map<std::string, std::string>& left,
                                  const std::map<std::string, std::string>& right) {
  std::vector<ConfDiff> result;
  auto a = left.begin();
  auto b = right.begin();
  while (a != left.end() || b != right.end()) {
    if (b == right.end() || (a != left.end() && a->first < b->first)) {
      result.push_back({a->first, a->second, std::nullopt});
      ++a;
    } else if (a == left.end() || b->first < a->first) {
      result.push_back({b->first, std::nullopt, b->second});
      ++b;
    } else {
      if (a->second != b->second) result.push_back({a->first, a->second, b->second});
      ++a, ++b;
    }
  }
  return result;
}

std::map<std::string, std::string> last_values(const std::vector<ConfSetting>& settings) {
  std::map<std::string, std::string> values;
  for (const ConfSetting& setting : settings) values[setting.option] = setting.value;
  return values;
}

}  // namespace

std::string KernConf::describe() const {
  std::string out = fmt::format("base {}{}{}\n", base_, base_file_.empty() ? "" : " ", base_file_.string());
  std::map<std::string, std::size_t> last;
  std::size_t option_width = 0, value_width = 0;
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    last[settings_[i].option] = i;
    option_width = std::max(option_width, settings_[i].option.size());
    value_width = std::max(value_width, std::min<std::size_t>(settings_[i].value.size(), 24));
  }
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    const ConfSetting& setting = settings_[i];
    const std::size_t wins = last[setting.option];
    std::string note = setting.wanted ? "" : " (if the tree has it)";
    if (wins != i && settings_[wins].value != setting.value)
      note += fmt::format(" -> {} by {}", settings_[wins].value, settings_[wins].origin);
    out += fmt::format("  {:<{}} = {:<{}}  {}{}\n", setting.option, option_width, setting.value, value_width,
                       setting.origin, note);
  }
  for (const auto& [name, value] : make_variables_) out += fmt::format("  make {}={}\n", name, value);
  return out;
}

std::vector<ConfDiff> KernConf::diff(const KernConf& other) const {
  return diff_values(last_values(settings_), last_values(other.settings_));
}

std::vector<ConfDiff> diff_configs(std::string_view left, std::string_view right, Os os) {
  const guest::ConfRules& rules = conf_rules_for(os);
  return diff_values(rules.parse(left), rules.parse(right));
}

std::string KernConf::to_json() const {
  json::array settings;
  for (const ConfSetting& s : settings_)
    settings.push_back(
        json::object{{"option", s.option}, {"value", s.value}, {"origin", s.origin}, {"wanted", s.wanted}});
  return json::dump(json::object{{"os", to_string(os_)},
                                 {"base", base_},
                                 {"base_file", base_file_.string()},
                                 {"settings", std::move(settings)},
                                 {"presets", json::from_strings(presets_)},
                                 {"make_variables", json::from_map(make_variables_)}});
}

KernConf KernConf::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "kernel configuration");
  const auto wrong = [](const char* what) {
    return FormatError({.attempted = "read kernel configuration", .reason = what, .hint = "", .log = {}});
  };
  KernConf conf;
  conf.os_ = os_from_string(json::get_string(o, "os", to_string(conf.os_)));
  conf.base_ = json::get_string(o, "base");
  conf.base_file_ = json::get_path(o, "base_file");
  conf.presets_ = json::get_strings(o, "presets");
  if (const json::value* settings = o.if_contains("settings")) {
    if (!settings->is_array()) throw wrong("member \"settings\" is not an array");
    for (const json::value& element : settings->as_array()) {
      if (!element.is_object()) throw wrong("a setting is not an object");
      const json::object& s = element.as_object();
      conf.settings_.push_back({json::get_string(s, "option"), json::get_string(s, "value"),
                                json::get_string(s, "origin"), json::get_bool(s, "wanted", true)});
    }
  }
  conf.make_variables_ = json::get_map(o, "make_variables");
  return conf;
}

}  // namespace kdev
