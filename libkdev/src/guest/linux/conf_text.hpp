#pragma once
// The text of .config files (Documentation/kbuild/kconfig-language.rst; written by
// scripts/kconfig/confdata.c).
#include <kdev/kern_conf.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kdev::guest {

/// One line that sets something: name without CONFIG_, value without quotes and escapes, "n" for "is not
/// set".
struct ConfLine {
  std::string option;
  std::string value;
  bool quoted = false;  ///< it was written as a string
};

/// Nothing for a comment or an empty line. ConfigError, naming `where`, for a line that is neither.
std::optional<ConfLine> parse_conf_line(std::string_view line, const std::string& where);

/// A line's value as ConfSetting keeps it: bare, but in quotes where it was written as a string and the bare
/// text would be taken for a y, m, n or number (CONFIG_LOCALVERSION="-1").
std::string kept_value(std::string_view bare, bool quoted);
/// The reverse: without those quotes.
std::string_view bare_value(std::string_view kept);

/// A kept value as .config wants it: y, m, n and numbers as they are, all else quoted and escaped.
std::string conf_value_text(std::string_view value);

/// The line that asks for it: "CONFIG_X=y" or "# CONFIG_X is not set".
std::string conf_line_text(const std::string& option, const std::string& value);

/// `base` without the lines of the options that `settings` sets, then a line for each of those (the last one
/// wins). They come last because among members of a choice the last one in the file wins.
std::string merge_conf(std::string_view base, const std::vector<ConfSetting>& settings);

/// Options set to something else than n.
std::map<std::string, std::string> parse_conf(std::string_view text);

}  // namespace kdev::guest
