#include "guest/linux/conf_lost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "guest/linux/conf_text.hpp"
#include "guest/linux/kconfig.hpp"

namespace kdev::guest {
namespace {

std::optional<long long> number(std::string_view text) {
  const bool negative = text.starts_with("-");
  if (negative) text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return negative ? -value : value;
}

bool is_switch(const std::string& type) {
  return type == "bool" || type == "tristate";
}

/// Why an option that was asked to be off (or a module) is not.
void explain_selected(LostOption& lost, const KconfigOption& option, const ConfValues& values) {
  for (const KconfigSelect& select : option.selected_by) {
    const auto by = values.find(select.by);
    if (by == values.end() || by->second == "n" || evaluate(select.condition, values) == Tristate::n)
      continue;
    lost.unmet.push_back(fmt::format("selected by {}={}", select.by, by->second));
  }
}

void explain_choice(LostOption& lost, const KconfigEntry& entry, const Kconfig& kconfig,
                    const ConfValues& values) {
  for (const std::string& member : kconfig.members(entry.choice))
    if (member != lost.asked.option && values.contains(member))
      lost.unmet.push_back(fmt::format("{}={} (only one of a choice can be set)", member, values.at(member)));
}

void explain_range(LostOption& lost, const KconfigOption& option, const ConfValues& values) {
  const auto bound = [&](const std::string& text) {
    const auto named = values.find(text);
    return named == values.end() ? text : named->second;
  };
  for (const KconfigRange& range : option.ranges)
    if (evaluate(range.condition, values) != Tristate::n) {
      lost.unmet.push_back(fmt::format("its range is {} to {}", bound(range.low), bound(range.high)));
      return;
    }
}

void explain(LostOption& lost, const Kconfig& kconfig, const ConfValues& values) {
  const KconfigOption* option = kconfig.find(lost.asked.option);
  if (!option || option->entries.empty()) {
    lost.nearest = kconfig.nearest(lost.asked.option);
    return;
  }
  lost.type = option->type.empty() ? "bool" : option->type;
  const std::string& asked = lost.asked.value;
  if (is_switch(lost.type) && asked != "y" && asked != "m" && asked != "n") {
    lost.unmet.push_back(
        fmt::format("it is a {}: {}", lost.type, lost.type == "bool" ? "y or n" : "y, m or n"));
    return;
  }
  if (!is_switch(lost.type) && (lost.type == "int" || lost.type == "hex") && !number(asked)) {
    lost.unmet.push_back("its value is a number");
    return;
  }
  const bool lowered = is_switch(lost.type) && (asked == "n" || (asked == "m" && lost.got == "y"));
  // Of several entries the one that is nearest to being met is told.
  const Tristate needed = asked == "m" || (is_switch(lost.type) && asked == "n") ? Tristate::m : Tristate::y;
  const KconfigEntry* best = nullptr;
  std::vector<std::string> best_unmet;
  for (const KconfigEntry& entry : option->entries) {
    std::vector<std::string> unmet = unmet_parts(entry.depends, values, needed);
    if (best &&
        (best->prompt > entry.prompt || (best->prompt == entry.prompt && best_unmet.size() <= unmet.size())))
      continue;
    best = &entry;
    best_unmet = std::move(unmet);
  }
  lost.depends = to_string(best->depends);
  lost.unmet = best_unmet;
  for (const std::string& part : unmet_parts(best->visible, values, Tristate::m)) lost.unmet.push_back(part);
  if (lowered)
    explain_selected(lost, *option, values);
  else
    explain_choice(lost, *best, kconfig, values);
  if (!is_switch(lost.type)) explain_range(lost, *option, values);
  if (!lost.unmet.empty()) return;
  if (!best->prompt) {
    std::string selectors;
    for (std::size_t i = 0; i < option->selected_by.size() && i < 6; ++i)
      selectors += " " + option->selected_by[i].by;
    lost.unmet.push_back(selectors.empty()
                             ? "it has no prompt: the tree alone decides"
                             : "it has no prompt: only what selects it turns it on:" + selectors);
  }
  for (const std::string& macro : macros_in(best->depends))
    lost.unmet.push_back(macro + " (asked of the compiler)");
}

}  // namespace

bool conf_has(const std::map<std::string, std::string>& values, const ConfSetting& asked) {
  const auto found = values.find(asked.option);
  const std::string got = found == values.end() ? "n" : found->second;
  const std::string wanted(bare_value(asked.value));
  if (got == wanted) return true;
  // An empty string is not written at all when its dependencies are not met.
  if (wanted.empty() && found == values.end()) return true;
  const auto a = number(got), b = number(asked.value);
  return a && b && *a == *b;
}

std::vector<LostOption> find_lost(Host& host, const std::vector<ConfSetting>& final_settings,
                                  const std::map<std::string, std::string>& values, const Path& source,
                                  const std::string& arch) {
  std::vector<LostOption> lost;
  std::optional<Kconfig> kconfig;
  for (const ConfSetting& setting : final_settings) {
    if (!setting.wanted || conf_has(values, setting)) continue;
    if (!kconfig) kconfig = Kconfig::read(host, source, linux_srcarch(arch));
    LostOption option;
    option.asked = setting;
    if (const auto got = values.find(setting.option); got != values.end()) option.got = got->second;
    explain(option, *kconfig, values);
    lost.push_back(std::move(option));
  }
  // What hangs on another lost option comes after it: causes first.
  std::set<std::string> names;
  for (const LostOption& option : lost) names.insert(option.asked.option + "=n");
  std::stable_partition(lost.begin(), lost.end(), [&](const LostOption& option) {
    return std::none_of(option.unmet.begin(), option.unmet.end(),
                        [&](const std::string& part) { return names.contains(part); });
  });
  return lost;
}

}  // namespace kdev::guest
