#include "common/size.hpp"

#include <fmt/format.h>

#include <charconv>
#include <kdev/error.hpp>

namespace kdev {

std::uint64_t parse_size(std::string_view text, const std::string& what, std::uint64_t unit) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (suffix.size() == 3 && suffix.ends_with("iB")) suffix = suffix.substr(0, 1);
  const std::size_t power = suffix.size() == 1 ? std::string_view("KMGT").find(suffix) : suffix.npos;
  if (!suffix.empty()) unit = power == suffix.npos ? 0 : std::uint64_t{1} << (10 * (power + 1));
  constexpr std::uint64_t most = std::uint64_t{1} << 50;
  if (error != std::errc() || unit == 0 || number == 0 || number > most / unit)
    throw ConfigError({.attempted = "read " + what,
                       .reason = fmt::format("\"{}\" is no size", text),
                       .hint = "write it as \"512M\" or \"2G\"",
                       .log = {}});
  return number * unit;
}

}  // namespace kdev
