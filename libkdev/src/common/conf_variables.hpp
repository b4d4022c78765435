#pragma once
// Files of NAME="value" lines, as shells read them (rc.conf) and boot loaders (loader.conf, device.hints):
// changed as sysrc(8) changes them, with everything else kept as it is.
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kdev {

/// The value that counts: the last assignment's, without its quotes. Nothing: the text does not assign it.
std::optional<std::string> conf_value(std::string_view text, std::string_view name);

/// All that it assigns, by name.
std::map<std::string, std::string> conf_values(std::string_view text);

// Each gives the changed text. ConfigError for what is no name, and for a value that no line can hold.

/// Where it is assigned last, else in a new line at the end; indentation and a comment behind it stay.
std::string conf_set(std::string_view text, std::string_view name, std::string_view value);
/// `word` becomes one more of the value's words, unless it is among them. Words are separated by blanks, or
/// by the character that `word` begins with when that is no letter, no digit and none of "_-/." (",gif0").
std::string conf_append(std::string_view text, std::string_view name, std::string_view word);
/// The other way round: `word` is taken out. A text without the word or the name stays as it is.
std::string conf_subtract(std::string_view text, std::string_view name, std::string_view word);
/// Every assignment goes, with its line.
std::string conf_remove(std::string_view text, std::string_view name);

}  // namespace kdev
