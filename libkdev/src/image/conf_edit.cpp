#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <kdev/conf_edit.hpp>
#include <kdev/error.hpp>

#include "common/conf_variables.hpp"
#include "common/json.hpp"

namespace kdev {
namespace {

using Action = ConfEdit::Action;

constexpr std::array<std::string_view, 6> action_names = {"set",    "append", "subtract",
                                                          "remove", "line",   "directive"};

[[noreturn]] void refuse(const ConfEdit& edit, std::string reason) {
  throw ConfigError({.attempted = "change " + edit.file, .reason = std::move(reason), .hint = "", .log = {}});
}

/// Calls `f` with each line, without its end, until it says that it is done.
template <class F>
void for_each_line(std::string_view text, F f) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (f(at, text.substr(at, end - at))) return;
    at = end + 1;
  }
}

std::string with_line(std::string text, std::string_view line) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text.append(line) + '\n';
}

std::string add_line(const ConfEdit& edit, std::string_view text) {
  bool there = false;
  for_each_line(text, [&](std::size_t, std::string_view line) { return there = line == edit.value; });
  return there ? std::string(text) : with_line(std::string(text), edit.value);
}

/// The first of several counts (sshd_config(5)): it is changed, or the place of its commented-out default is
/// taken.
std::string set_directive(const ConfEdit& edit, std::string_view text) {
  constexpr std::string_view blanks = " \t";
  if (edit.name.empty() || edit.name.find_first_of(" \t\n#") != std::string::npos)
    refuse(edit, "\"" + edit.name + "\" is no keyword");
  std::string_view active, commented;
  std::size_t global_end = text.size();  // what stands behind "Match" holds for some only
  for_each_line(text, [&](std::size_t at, std::string_view line) {
    std::string_view rest = line.substr(std::min(line.find_first_not_of(blanks), line.size()));
    if (boost::algorithm::istarts_with(rest, "match ")) {
      global_end = at;
      return true;
    }
    const bool comment = rest.starts_with('#');
    if (comment) rest.remove_prefix(1);
    if (!boost::algorithm::istarts_with(rest, edit.name) || rest.size() == edit.name.size() ||
        blanks.find(rest[edit.name.size()]) == blanks.npos)
      return false;
    std::string_view& found = comment ? commented : active;
    if (!found.data()) found = text.substr(at, line.size());
    return !comment;
  });
  const std::string line = edit.name + " " + edit.value;
  const std::string_view place = active.data() ? active : commented;
  if (!place.data())
    return with_line(std::string(text.substr(0, global_end)), line).append(text.substr(global_end));
  std::string changed(text);
  changed.replace(static_cast<std::size_t>(place.data() - text.data()), place.size(), line);
  return changed;
}

}  // namespace

std::string ConfEdit::applied_to(std::string_view text) const {
  if ((action == Action::line || action == Action::directive) && value.find('\n') != std::string::npos)
    refuse(*this, "\"" + value + "\" is more than one line");
  switch (action) {
    case Action::set:
      return conf_set(text, name, value);
    case Action::append:
      return conf_append(text, name, value);
    case Action::subtract:
      return conf_subtract(text, name, value);
    case Action::remove:
      return conf_remove(text, name);
    case Action::line:
      return add_line(*this, text);
    case Action::directive:
      return set_directive(*this, text);
  }
  return std::string(text);
}

std::string ConfEdit::to_json() const {
  return json::dump(json::object{{"action", action_names[static_cast<std::size_t>(action)]},
                                 {"file", file},
                                 {"name", name},
                                 {"value", value}});
}

ConfEdit ConfEdit::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "a ConfEdit");
  ConfEdit edit{.file = json::get_string(o, "file"),
                .name = json::get_string(o, "name"),
                .value = json::get_string(o, "value")};
  const std::string action = json::get_string(o, "action", "set");
  for (std::size_t i = 0; i < action_names.size(); ++i)
    if (action_names[i] == action) {
      edit.action = static_cast<Action>(i);
      return edit;
    }
  throw FormatError(
      {.attempted = "read a ConfEdit", .reason = "unknown action \"" + action + "\"", .hint = "", .log = {}});
}

}  // namespace kdev
