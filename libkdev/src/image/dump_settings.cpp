#include <kdev/dump_settings.hpp>

#include "common/json.hpp"
#include "image/compression_name.hpp"

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

}  // namespace

std::string DumpSettings::to_json() const {
  json::object o{{"device", device}, {"directory", directory}, {"memory", memory}};
  put(o, "enter_debugger", enter_debugger);
  put(o, "full", full);
  put(o, "background_fsck", background_fsck);
  put(o, "file_delay", file_delay);
  put(o, "directory_delay", directory_delay);
  put(o, "metadata_delay", metadata_delay);
  o["compression"] = compression_name(compression);
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
          .compression = compression_named(json::get_string(o, "compression", "none"), "dump settings")};
}

}  // namespace kdev
