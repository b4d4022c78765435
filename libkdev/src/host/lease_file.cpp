#include "host/lease_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "host/proc.hpp"

namespace kdev {
namespace {

std::string pid_namespace() {
  char text[64] = {};  // "pid:[4026531836]"
  return ::readlink("/proc/self/ns/pid", text, sizeof text - 1) > 0 ? text : "";
}

std::string machine_id() {
  std::string id = read_proc_file("/etc/machine-id");
  id.erase(std::remove(id.begin(), id.end(), '\n'), id.end());
  return id;
}

/// JSON holds text only; other bytes of a path go as {"hex": "..."}.
json::value encode(const std::string& bytes) {
  if (json::utf8(bytes) == bytes) return json::value(bytes);
  return json::object{{"hex", hex_of(bytes)}};
}

[[noreturn]] void malformed(const char* what) {
  throw FormatError({.attempted = "read a lease", .reason = what, .hint = "", .log = {}});
}

std::string decode(const json::value& v) {
  if (v.is_string()) return std::string(v.as_string());
  if (!v.is_object()) malformed("a string was expected");
  return from_hex(json::get_string(v.as_object(), "hex"), "a lease");
}

const json::array& member_array(const json::object& o, const char* key) {
  const json::value* v = o.if_contains(key);
  if (!v || !v->is_array()) malformed("a list is missing");
  return v->as_array();
}

}  // namespace

LeaseOwner LeaseOwner::self() {
  return {.pid = ::getpid(),
          .start_time = proc_stat(::getpid()).start_time,
          .boot_id = kdev::boot_id(),
          .pid_namespace = kdev::pid_namespace(),
          .machine_id = kdev::machine_id()};
}

bool LeaseOwner::of_earlier_boot() const {
  const std::string here = kdev::machine_id();
  return boot_id != kdev::boot_id() && (machine_id == here || machine_id.empty() || here.empty());
}

bool LeaseOwner::is_dead() const {
  if (of_earlier_boot()) return true;
  if (boot_id != kdev::boot_id() || pid_namespace != kdev::pid_namespace()) return false;
  const ProcStat stat = proc_stat(pid);
  return !stat.alive() || stat.start_time != start_time;
}

std::string to_json(const LeaseFile& lease) {
  json::array processes, paths, undo;
  for (const auto& [pid, start_time] : lease.processes)
    processes.push_back(json::object{{"pid", pid}, {"start_time", start_time}});
  for (const Path& p : lease.paths) paths.push_back(encode(p.string()));
  for (const auto& argv : lease.undo) {
    json::array words;
    for (const std::string& word : argv) words.push_back(encode(word));
    undo.push_back(std::move(words));
  }
  const LeaseOwner& owner = lease.owner;
  const json::object o = {{"owner", json::object{{"pid", owner.pid},
                                                 {"start_time", owner.start_time},
                                                 {"boot_id", owner.boot_id},
                                                 {"pid_namespace", owner.pid_namespace},
                                                 {"machine_id", owner.machine_id}}},
                          {"token", lease.token},
                          {"processes", processes},
                          {"paths", paths},
                          {"undo", undo}};
  return json::dump(o, true) + "\n";
}

LeaseFile lease_from_json(const std::string& text) {
  const json::object o = json::parse_object(text, "a lease");
  LeaseFile lease;
  const json::value* owner = o.if_contains("owner");
  if (!owner || !owner->is_object()) malformed("the owner is missing");
  const json::object& of = owner->as_object();
  lease.owner = {.pid = static_cast<int>(json::get_int(of, "pid")),
                 .start_time = static_cast<unsigned long long>(json::get_int(of, "start_time")),
                 .boot_id = json::get_string(of, "boot_id"),
                 .pid_namespace = json::get_string(of, "pid_namespace"),
                 .machine_id = json::get_string(of, "machine_id")};
  lease.token = json::get_string(o, "token");
  if (lease.owner.pid <= 0 || lease.owner.boot_id.empty() || lease.token.empty())
    malformed("owner or token is missing");
  for (const json::value& v : member_array(o, "processes")) {
    if (!v.is_object()) malformed("a process was expected");
    lease.processes.emplace_back(json::get_int(v.as_object(), "pid"),
                                 json::get_int(v.as_object(), "start_time"));
  }
  for (const json::value& v : member_array(o, "paths")) lease.paths.emplace_back(decode(v));
  for (const json::value& v : member_array(o, "undo")) {
    if (!v.is_array()) malformed("an argument vector was expected");
    lease.undo.emplace_back();
    for (const json::value& word : v.as_array()) lease.undo.back().push_back(decode(word));
  }
  return lease;
}

std::string lease_name(const Path& file) {
  return file.stem().string();
}

}  // namespace kdev
