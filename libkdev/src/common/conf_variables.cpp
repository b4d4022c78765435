#include "common/conf_variables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <vector>

namespace kdev {
namespace {

constexpr std::string_view blanks = " \t";

/// One line that assigns; places are offsets into the text.
struct Assignment {
  std::string_view name;
  std::size_t line = 0, value = 0, value_end = 0, next = 0;  ///< `next`: where the following line begins
};

bool is_name_character(char c) {
  // Hints and loader variables have dots and dashes in their names.
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '%';
}

void check_name(std::string_view name) {
  if (!name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
      std::all_of(name.begin(), name.end(), is_name_character))
    return;
  throw ConfigError({.attempted = "change a configuration file",
                     .reason = fmt::format("\"{}\" is no variable's name", name),
                     .hint = "",
                     .log = {}});
}

/// Behind the value that begins at `at`, quotes and escapes as sh(1) takes them.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  char quote = 0;
  for (; at < text.size() && (quote || text[at] != '\n'); ++at) {
    const char c = text[at];
    if (quote) {
      if (c == '\\' && quote == '"' && at + 1 < text.size())
        ++at;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '\\' && at + 1 < text.size()) {
      ++at;
    } else if (blanks.find(c) != blanks.npos || c == ';') {
      break;
    }
  }
  // A quote that nobody closes is a slip of one line, not the rest of the file.
  if (quote) return std::min(text.find('\n', begin), text.size());
  return std::min(at, text.size());
}

std::vector<Assignment> all_assignments(std::string_view text) {
  std::vector<Assignment> found;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t begin = std::min(text.find_first_not_of(blanks, line), text.size());
    std::size_t name_end = begin;
    while (name_end < text.size() && is_name_character(text[name_end])) ++name_end;
    std::size_t at = name_end;
    if (name_end > begin && at < text.size() && text[at] == '=') at = end_of_value(text, at + 1);
    // A value's quotes may hold line ends.
    const std::size_t line_end = text.find('\n', at);
    const std::size_t next = line_end == text.npos ? text.size() : line_end + 1;
    if (at > name_end) found.push_back({text.substr(begin, name_end - begin), line, name_end + 1, at, next});
    line = next;
  }
  return found;
}

std::vector<Assignment> assignments(std::string_view text, std::string_view name) {
  std::vector<Assignment> found = all_assignments(text);
  std::erase_if(found, [&](const Assignment& a) { return a.name != name; });
  return found;
}

std::string unquoted(std::string_view raw) {
  std::string value;
  char quote = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (quote == '\'') {
      c == '\'' ? void(quote = 0) : value.push_back(c);
    } else if (c == '\\' && i + 1 < raw.size()) {
      const char next = raw[++i];
      // Within double quotes a backslash is itself before most characters.
      if (quote && std::string_view("\"\\$`").find(next) == std::string_view::npos) value += c;
      value += next;
    } else if (c == quote) {
      quote = 0;
    } else if (!quote && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      value += c;
    }
  }
  return value;
}

std::string quoted(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n' || c == '\0')
      throw ConfigError({.attempted = "change a configuration file",
                         .reason = fmt::format("the value \"{}\" has a line's end in it", value),
                         .hint = "",
                         .log = {}});
    if (c == '"' || c == '\\' || c == '$' || c == '`') text += '\\';
    text += c;
  }
  return text + "\"";
}

struct Word {
  char separator = ' ';
  std::string_view word;
};

Word word_of(std::string_view text) {
  if (text.empty() || std::isalnum(static_cast<unsigned char>(text.front())) ||
      std::string_view("_-/. \t").find(text.front()) != std::string_view::npos)
    return {' ', text};
  return {text.front(), text.substr(1)};
}

std::vector<std::string> words_of(const std::string& value, char separator) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end =
        std::min(value.find_first_of(separator == ' ' ? " \t" : std::string(1, separator), at), value.size());
    if (end > at) words.push_back(value.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

std::optional<std::string> conf_value(std::string_view text, std::string_view name) {
  const std::vector<Assignment> found = assignments(text, name);
  if (found.empty()) return std::nullopt;
  return unquoted(text.substr(found.back().value, found.back().value_end - found.back().value));
}

std::map<std::string, std::string> conf_values(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const Assignment& a : all_assignments(text))
    values[std::string(a.name)] = unquoted(text.substr(a.value, a.value_end - a.value));
  return values;
}

std::string conf_set(std::string_view text, std::string_view name, std::string_view value) {
  check_name(name);
  const std::vector<Assignment> found = assignments(text, name);
  std::string changed(text);
  if (!found.empty()) {
    changed.replace(found.back().value, found.back().value_end - found.back().value, quoted(value));
    return changed;
  }
  if (!changed.empty() && changed.back() != '\n') changed += '\n';
  return changed + fmt::format("{}={}\n", name, quoted(value));
}

std::string conf_append(std::string_view text, std::string_view name, std::string_view word) {
  const Word more = word_of(word);
  const std::string value = conf_value(text, name).value_or("");
  const std::vector<std::string> words = words_of(value, more.separator);
  if (std::find(words.begin(), words.end(), more.word) != words.end()) return std::string(text);
  return conf_set(
      text, name,
      value.empty() ? std::string(more.word) : fmt::format("{}{}{}", value, more.separator, more.word));
}

std::string conf_subtract(std::string_view text, std::string_view name, std::string_view word) {
  const Word less = word_of(word);
  const auto value = conf_value(text, name);
  if (!value) return std::string(text);
  std::vector<std::string> words = words_of(*value, less.separator);
  if (std::erase(words, std::string(less.word)) == 0) return std::string(text);
  return conf_set(text, name, fmt::format("{}", fmt::join(words, std::string(1, less.separator))));
}

std::string conf_remove(std::string_view text, std::string_view name) {
  check_name(name);
  const std::vector<Assignment> found = assignments(text, name);
  std::string changed(text);
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    // With its line, unless more than a comment stands behind it.
    std::size_t end = at->next;
    const std::size_t behind = changed.find_first_not_of(" \t;", at->value_end);
    if (behind < at->next && changed[behind] != '\n' && changed[behind] != '#') end = behind;
    changed.erase(at->line, end - at->line);
  }
  return changed;
}

}  // namespace kdev
