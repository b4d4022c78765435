#include "guest/linux/conf_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <kdev/error.hpp>
#include <set>

#include "guest/conf_merge.hpp"

namespace kdev::guest {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    f(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

bool is_number(std::string_view v) {
  if (v.starts_with("0x") || v.starts_with("0X"))
    return v.size() > 2 &&
           std::all_of(v.begin() + 2, v.end(), [](unsigned char c) { return std::isxdigit(c); });
  if (v.starts_with("-")) v.remove_prefix(1);
  return !v.empty() && std::all_of(v.begin(), v.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::string_view unquoted(std::string_view text) {
  return text.substr(1, text.size() - 2);
}

/// Would not be read as a string without its quotes, or is such a one in quotes.
bool needs_quotes(std::string_view text) {
  if (text == "y" || text == "m" || text == "n" || is_number(text)) return true;
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' && needs_quotes(unquoted(text));
}

}  // namespace

std::string kept_value(std::string_view bare, bool quoted) {
  return quoted && needs_quotes(bare) ? fmt::format("\"{}\"", bare) : std::string(bare);
}

std::string_view bare_value(std::string_view kept) {
  return kept.starts_with('"') && needs_quotes(kept) ? unquoted(kept) : kept;
}

std::optional<ConfLine> parse_conf_line(std::string_view line, const std::string& where) {
  constexpr std::string_view prefix = "CONFIG_", unset = " is not set";
  std::string_view text = trimmed(line);
  if (text.starts_with("#")) {
    std::string_view rest = trimmed(text.substr(1));
    if (!rest.starts_with(prefix) || !rest.ends_with(unset)) return std::nullopt;
    rest = rest.substr(prefix.size(), rest.size() - prefix.size() - unset.size());
    if (!is_name(rest)) return std::nullopt;
    return ConfLine{std::string(rest), "n", false};
  }
  if (text.empty()) return std::nullopt;
  const auto bad = [&](const char* why) -> ConfigError {
    return ConfigError({.attempted = "read " + where,
                        .reason = fmt::format("\"{}\" {}", text, why),
                        .hint = "lines are CONFIG_NAME=value, # CONFIG_NAME is not set, or comments",
                        .log = {}});
  };
  const std::size_t equals = text.find('=');
  if (equals == text.npos || !text.starts_with(prefix)) throw bad("is no config line");
  ConfLine result;
  result.option = text.substr(prefix.size(), equals - prefix.size());
  if (!is_name(result.option)) throw bad("names no option");
  std::string_view value = text.substr(equals + 1);
  if (!value.starts_with('"')) {
    result.value = value.empty() ? "n" : std::string(value);
    return result;
  }
  result.quoted = true;
  std::size_t i = 1;
  for (; i < value.size() && value[i] != '"'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    result.value += value[i];
  }
  if (i >= value.size()) throw bad("has a string without its end");
  return result;
}

std::string conf_value_text(std::string_view value) {
  if (needs_quotes(value) && !value.starts_with('"')) return std::string(value);
  std::string out = "\"";
  for (const char c : bare_value(value)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string conf_line_text(const std::string& option, const std::string& value) {
  return value == "n" ? fmt::format("# CONFIG_{} is not set\n", option)
                      : fmt::format("CONFIG_{}={}\n", option, conf_value_text(value));
}

std::string merge_conf(std::string_view base, const std::vector<ConfSetting>& settings) {
  const MergedSettings merged = merge_settings(settings);
  std::set<std::string, std::less<>> replaced;
  for (const ConfSetting& setting : merged.final) replaced.insert(setting.option);
  std::string out;
  for_each_line(base, [&](std::string_view line) {
    const auto parsed = parse_conf_line(line, "base configuration");
    if (!parsed || !replaced.contains(parsed->option)) out.append(line).append("\n");
  });
  // What is off goes first: "X is not set" of a choice's member must not come after the member that is to
  // win.
  for (const ConfSetting& setting : merged.final)
    if (setting.value == "n") out += conf_line_text(setting.option, setting.value);
  for (const ConfSetting& setting : merged.final)
    if (setting.value != "n") out += conf_line_text(setting.option, setting.value);
  return out;
}

std::map<std::string, std::string> parse_conf(std::string_view text) {
  std::map<std::string, std::string> values;
  for_each_line(text, [&](std::string_view line) {
    if (auto parsed = parse_conf_line(line, "configuration");
        parsed && (parsed->quoted || parsed->value != "n"))
      values[std::move(parsed->option)] = std::move(parsed->value);
  });
  return values;
}

}  // namespace kdev::guest
