#include <algorithm>
#include <array>
#include <kdev/dump_settings.hpp>
#include <kdev/error.hpp>

#include "common/json.hpp"

namespace kdev {
namespace {

template <class T>
void put(json::object& o, const char* key, const std::optional<T>& value) {
  if (value) o[key] = *value;
}

std::optional<bool> get_flag(const json::object& o, const char* key) {
  if (const json::value* v = o.if_contains(key); v && !v->is_null()) return json::get_bool(o, key);
  return std::nullopt;
}

std::optional<int> get_seconds(const json::object& o, const char* key) {
  if (const json::value* v = o.if_contains(key); v && !v->is_null())
    return static_cast<int>(json::get_int(o, key));
  return std::nullopt;
}

constexpr std::array<std::string_view, 3> words = {"none", "gzip", "zstd"};

Compression get_compression(const json::object& o) {
  const std::string word = json::get_string(o, "compression", "none");
  const auto at = std::find(words.begin(), words.end(), word);
  if (at != words.end()) return static_cast<Compression>(at - words.begin());
  throw FormatError({.attempted = "read dump settings",
                     .reason = "\"" + word + "\" is no compression",
                     .hint = "none, gzip or zstd",
                     .log = {}});
}

}  // namespace

std::string DumpSettings::to_json() const {
  json::object o{{"device", device}, {"directory", directory}, {"memory", memory}};
  put(o, "enter_debugger", enter_debugger);
  put(o, "full", full);
  put(o, "background_fsck", background_fsck);
  put(o, "file_delay", file_delay);
  put(o, "directory_delay", directory_delay);
  put(o, "metadata_delay", metadata_delay);
  o["compression"] = words[static_cast<std::size_t>(compression)];
  return json::dump(o);
}

DumpSettings DumpSettings::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "dump settings");
  return {.device = json::get_string(o, "device"),
          .directory = json::get_string(o, "directory"),
          .memory = json::get_string(o, "memory"),
          .enter_debugger = get_flag(o, "enter_debugger"),
          .full = get_flag(o, "full"),
          .background_fsck = get_flag(o, "background_fsck"),
          .file_delay = get_seconds(o, "file_delay"),
          .directory_delay = get_seconds(o, "directory_delay"),
          .metadata_delay = get_seconds(o, "metadata_delay"),
          .compression = get_compression(o)};
}

}  // namespace kdev
