#include <array>
#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "image/compression_name.hpp"

namespace kdev {
namespace {

using Type = ImageEntry::Type;

constexpr std::array<std::string_view, 6> kTypes = {"file", "dir", "nod", "slink", "pipe", "sock"};

[[noreturn]] void bad(std::string reason) {
  throw FormatError({.attempted = "read a SeedImage", .reason = std::move(reason), .hint = "", .log = {}});
}

template <std::size_t N>
int index_of(const std::array<std::string_view, N>& names, const std::string& name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<int>(i);
  bad("unknown word \"" + name + "\"");
}

/// JSON holds text only: bytes that are not UTF-8 go into KEY_hex.
void put(json::object& o, const std::string& key, const std::string& bytes) {
  if (bytes.empty()) return;
  if (json::utf8(bytes) == bytes) {
    o[key] = bytes;
  } else {
    o[key + "_hex"] = hex_of(bytes);
  }
}

std::string get(const json::object& o, const std::string& key) {
  const std::string hex = json::get_string(o, key + "_hex");
  return hex.empty() ? json::get_string(o, key) : from_hex(hex, "a SeedImage");
}

unsigned get_unsigned(const json::object& o, std::string_view key) {
  const std::int64_t n = json::get_int(o, key);
  if (n < 0 || n > 0xffffffff) bad(std::string(key) + " is out of range");
  return static_cast<unsigned>(n);
}

json::object entry_to_json(const ImageEntry& e) {
  json::object o;
  o["type"] = kTypes[static_cast<std::size_t>(e.type)];
  put(o, "path", e.path);
  o["mode"] = e.mode;
  o["uid"] = e.uid;
  o["gid"] = e.gid;
  put(o, "source", e.source.string());
  put(o, "content", e.content);
  put(o, "target", e.target);
  if (e.device) {
    o["device"] = std::string(1, e.device);
    o["major"] = e.major;
    o["minor"] = e.minor;
  }
  if (e.size) o["size"] = e.size;
  return o;
}

ImageEntry entry_from_json(const json::value& v) {
  if (!v.is_object()) bad("an entry is no object");
  const json::object& o = v.as_object();
  ImageEntry e{.type = static_cast<Type>(index_of(kTypes, json::get_string(o, "type", "file"))),
               .path = get(o, "path")};
  e.mode = get_unsigned(o, "mode");
  e.uid = get_unsigned(o, "uid");
  e.gid = get_unsigned(o, "gid");
  e.source = get(o, "source");
  e.content = get(o, "content");
  e.target = get(o, "target");
  const std::string device = json::get_string(o, "device");
  e.device = device.empty() ? '\0' : device[0];
  e.major = get_unsigned(o, "major");
  e.minor = get_unsigned(o, "minor");
  e.size = static_cast<std::uint64_t>(json::get_int(o, "size"));
  return e;
}

}  // namespace

std::string SeedImage::to_json() const {
  json::object o;
  o["busybox"] = busybox_;
  o["agent"] = agent_;
  o["own_init"] = own_init_;
  o["compression"] = compression_name(compression_);
  put(o, "archive", archive_.string());
  put(o, "disk", disk_.string());
  put(o, "url", url_);
  put(o, "sha256", sha256_);
  put(o, "checksums", checksums_);
  put(o, "disk_size", disk_size_);
  if (is_disk()) o["os"] = to_string(os_);
  put(o, "makefs", makefs_.string());
  put(o, "mkimg", mkimg_.string());
  put(o, "boot", boot_.string());
  put(o, "metalog", metalog_.string());
  o["free_bytes"] = free_bytes_;
  o["swap_bytes"] = swap_bytes_;
  json::array trees, entries, edits;
  for (const ConfEdit& edit : edits_) edits.push_back(json::parse_object(edit.to_json(), "a ConfEdit"));
  o["edits"] = std::move(edits);
  for (const Path& tree : trees_) {
    json::object t;
    put(t, "path", tree.string());
    trees.push_back(std::move(t));
  }
  for (const ImageEntry& e : entries_) entries.push_back(entry_to_json(e));
  o["directories"] = std::move(trees);
  o["entries"] = std::move(entries);
  return json::dump(o);
}

SeedImage SeedImage::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "a SeedImage");
  SeedImage image;
  image.busybox_ = json::get_bool(o, "busybox");
  image.agent_ = json::get_bool(o, "agent");
  image.own_init_ = json::get_bool(o, "own_init");
  image.compression_ = compression_named(json::get_string(o, "compression", "none"), "a SeedImage");
  image.archive_ = get(o, "archive");
  image.disk_ = get(o, "disk");
  image.url_ = get(o, "url");
  image.sha256_ = get(o, "sha256");
  image.checksums_ = get(o, "checksums");
  image.disk_size_ = get(o, "disk_size");
  if (image.is_disk()) image.os_ = os_from_string(json::get_string(o, "os"));
  image.makefs_ = get(o, "makefs");
  image.mkimg_ = get(o, "mkimg");
  image.boot_ = get(o, "boot");
  image.metalog_ = get(o, "metalog");
  image.free_bytes_ = static_cast<std::uint64_t>(json::get_int(o, "free_bytes"));
  image.swap_bytes_ = static_cast<std::uint64_t>(json::get_int(o, "swap_bytes", 1 << 30));
  if (const json::value* trees = o.if_contains("directories"); trees && !trees->is_null()) {
    if (!trees->is_array()) bad("\"directories\" is no array");
    for (const json::value& t : trees->as_array()) {
      if (!t.is_object()) bad("a directory is no object");
      image.trees_.emplace_back(get(t.as_object(), "path"));
    }
  }
  if (const json::value* edits = o.if_contains("edits"); edits && !edits->is_null()) {
    if (!edits->is_array()) bad("\"edits\" is no array");
    for (const json::value& v : edits->as_array()) image.edits_.push_back(ConfEdit::from_json(json::dump(v)));
  }
  if (const json::value* entries = o.if_contains("entries"); entries && !entries->is_null()) {
    if (!entries->is_array()) bad("\"entries\" is no array");
    for (const json::value& v : entries->as_array()) image.entries_.push_back(entry_from_json(v));
  }
  return image;
}

}  // namespace kdev
