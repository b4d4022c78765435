#include <kdev/core.hpp>

#include "common/json.hpp"

namespace kdev {

std::string DumpInfo::to_json() const {
  json::object o;
  o["kind"] = kind;
  o["os"] = to_string(os);
  o["partition"] = partition;
  o["partition_name"] = json::utf8(partition_name);
  o["offset"] = offset;
  o["length"] = length;
  o["extent"] = extent;
  o["block_size"] = block_size;
  o["key_size"] = key_size;
  o["magic"] = json::utf8(magic);
  o["arch"] = json::utf8(arch);
  o["version"] = version;
  o["arch_version"] = arch_version;
  o["time"] = time;
  o["hostname"] = json::utf8(hostname);
  o["version_text"] = json::utf8(version_text);
  o["panic"] = json::utf8(panic);
  o["compression"] = json::utf8(compression);
  o["parity"] = parity;
  o["problem"] = json::utf8(problem);
  return json::dump(o);
}

DumpInfo DumpInfo::from_json(std::string_view text) {
  const auto o = json::parse_object(text, "a dump's description");
  // Any bits may stand in a damaged header: beyond what JSON's readers take for an integer, too.
  const auto number = [&](std::string_view key) -> std::uint64_t {
    const auto* v = o.if_contains(key);
    return v && v->is_uint64() ? v->get_uint64() : static_cast<std::uint64_t>(json::get_int(o, key));
  };
  DumpInfo info;
  info.kind = json::get_string(o, "kind");
  info.os = os_from_string(json::get_string(o, "os", to_string(info.os)));
  info.partition = static_cast<int>(json::get_int(o, "partition"));
  info.partition_name = json::get_string(o, "partition_name");
  info.offset = number("offset");
  info.length = number("length");
  info.extent = number("extent");
  info.block_size = static_cast<std::uint32_t>(number("block_size"));
  info.key_size = static_cast<std::uint32_t>(number("key_size"));
  info.magic = json::get_string(o, "magic");
  info.arch = json::get_string(o, "arch");
  info.version = static_cast<std::uint32_t>(number("version"));
  info.arch_version = static_cast<std::uint32_t>(number("arch_version"));
  info.time = json::get_int(o, "time");
  info.hostname = json::get_string(o, "hostname");
  info.version_text = json::get_string(o, "version_text");
  info.panic = json::get_string(o, "panic");
  info.compression = json::get_string(o, "compression");
  info.parity = static_cast<std::uint32_t>(number("parity"));
  info.problem = json::get_string(o, "problem");
  return info;
}

}  // namespace kdev
