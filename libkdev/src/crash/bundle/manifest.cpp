#include "crash/bundle/manifest.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

#include "common/json.hpp"

namespace kdev::crash {
namespace {

constexpr std::string_view format = "kdev bundle";
constexpr int version = 1;
constexpr const char* what = "a bundle's bundle.json";

[[noreturn]] void refuse(std::string reason) {
  throw FormatError(
      {.attempted = fmt::format("read {}", what), .reason = std::move(reason), .hint = "", .log = {}});
}

const json::array* get_array(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (!v || v->is_null()) return nullptr;
  if (!v->is_array()) refuse(fmt::format("\"{}\" is no array", key));
  return &v->as_array();
}

const json::object& as_object(const json::value& v, std::string_view key) {
  if (!v.is_object()) refuse(fmt::format("\"{}\" has what is no object", key));
  return v.as_object();
}

}  // namespace

std::string Manifest::to_json() const {
  json::object o;
  o["format"] = format;
  o["version"] = version;
  o["os"] = os;
  o["notes"] = json::from_strings(notes);
  o["environment"] = json::from_map(record.environment);
  json::array commands, list;
  for (const GuestCommand& c : record.commands) {
    json::object one{{"command", json::utf8(c.command)}, {"duration", c.duration.count()}};
    if (c.exit_code) one["exit_code"] = *c.exit_code;
    commands.push_back(std::move(one));
  }
  o["commands"] = std::move(commands);
  for (const auto& [name, m] : members)
    list.push_back(json::object{{"name", json::utf8(name)}, {"size", m.size}, {"sha256", m.sha256}});
  o["members"] = std::move(list);
  return json::dump(o, true);
}

Manifest Manifest::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, what);
  if (json::get_string(o, "format") != format) refuse("it does not say that it is one");
  if (const auto v = json::get_int(o, "version"); v != version)
    refuse(fmt::format("its version is {}, this kdev reads {}", v, version));
  Manifest m;
  m.os = json::get_string(o, "os");
  try {
    if (!m.os.empty()) os_from_string(m.os);
  } catch (const ConfigError& e) {
    refuse(e.reason());
  }
  m.notes = json::get_strings(o, "notes");
  m.record.environment = json::get_map(o, "environment");
  if (const auto* commands = get_array(o, "commands"))
    for (const auto& v : *commands) {
      const json::object& c = as_object(v, "commands");
      GuestCommand command{.command = json::get_string(c, "command"),
                           .exit_code = {},
                           .duration = Seconds(json::get_double(c, "duration"))};
      if (c.contains("exit_code")) command.exit_code = static_cast<int>(json::get_int(c, "exit_code"));
      m.record.commands.push_back(std::move(command));
    }
  if (const auto* members = get_array(o, "members"))
    for (const auto& v : *members) {
      const json::object& one = as_object(v, "members");
      const std::string name = json::get_string(one, "name");
      const bool fresh =
          m.members
              .try_emplace(name, BundleMember{.size = static_cast<std::uint64_t>(json::get_int(one, "size")),
                                              .sha256 = json::get_string(one, "sha256")})
              .second;
      if (!fresh) refuse(fmt::format("{} is in it twice", name));
    }
  return m;
}

std::string name_below(std::string_view folder, std::string_view name) {
  constexpr std::size_t longest = 1024, longest_part = 255;
  if (!name.starts_with(folder)) return {};
  name.remove_prefix(folder.size());
  if (name.empty() || name.size() > longest) return {};
  for (std::string_view rest = name;;) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.size() > longest_part) return {};
    for (const char c : part)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return {};
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return std::string(name);
}

}  // namespace kdev::crash
