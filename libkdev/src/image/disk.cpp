#include <kdev/disk.hpp>

#include "common/json.hpp"

namespace kdev {

Disk Disk::blank(std::string size) {
  Disk disk;
  disk.size = std::move(size);
  return disk;
}

std::string Disk::to_json() const {
  json::object o;
  o["file"] = file.string();
  o["size"] = size;
  o["keep"] = keep;
  o["read_only"] = read_only;
  o["serial"] = serial;
  return json::dump(o);
}

Disk Disk::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "a Disk");
  return {.file = json::get_path(o, "file"),
          .size = json::get_string(o, "size"),
          .keep = json::get_bool(o, "keep"),
          .read_only = json::get_bool(o, "read_only"),
          .serial = json::get_string(o, "serial")};
}

}  // namespace kdev
