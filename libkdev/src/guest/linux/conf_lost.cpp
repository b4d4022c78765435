#include "guest/linux/conf_lost.hpp"

#include <charconv>
#include <optional>

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

}  // namespace

bool conf_has(const std::map<std::string, std::string>& values, const ConfSetting& asked) {
  const auto found = values.find(asked.option);
  const std::string got = found == values.end() ? "n" : found->second;
  std::string wanted = asked.value;
  if (wanted.size() >= 2 && wanted.front() == '"' && wanted.back() == '"') wanted = wanted.substr(1, wanted.size() - 2);
  if (got == wanted) return true;
  // An empty string is not written at all when its dependencies are not met.
  if (wanted.empty() && found == values.end()) return true;
  const auto a = number(got), b = number(wanted);
  return a && b && *a == *b;
}

std::vector<LostOption> find_lost(const std::vector<ConfSetting>& final_settings,
                                  const std::map<std::string, std::string>& values, const Path&, const std::string&) {
  std::vector<LostOption> lost;
  for (const ConfSetting& setting : final_settings) {
    if (!setting.wanted || conf_has(values, setting)) continue;
    LostOption option;
    option.asked = setting;
    if (const auto got = values.find(setting.option); got != values.end()) option.got = got->second;
    lost.push_back(std::move(option));
  }
  return lost;
}

}  // namespace kdev::guest
