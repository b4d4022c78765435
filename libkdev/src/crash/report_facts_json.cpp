#include "crash/report_facts_json.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

namespace kdev::crash {
namespace {

using json::object;

std::optional<std::uint64_t> maybe_hex(const object& o, std::string_view key) {
  if (!o.contains(key)) return std::nullopt;
  return get_hex_number(o, key);
}

/// Only what is known.
void put(object& o, std::string_view key, const std::string& text) {
  if (!text.empty()) o[key] = json::utf8(text);
}
void put_hex(object& o, std::string_view key, std::uint64_t number) {
  if (number) o[key] = hex_number(number);
}

}  // namespace

void bad_member(std::string_view key, const char* wanted) {
  throw FormatError({.attempted = "read a crash report",
                     .reason = fmt::format("member \"{}\" is not {}", key, wanted),
                     .hint = "",
                     .log = {}});
}

std::string hex_number(std::uint64_t v) {
  return fmt::format("{:#x}", v);
}

std::uint64_t get_hex_number(const object& o, std::string_view key) {
  const std::string s = json::get_string(o, key, "0x0");
  std::size_t used = 0;
  std::uint64_t v = 0;
  try {
    v = std::stoull(s, &used, 16);
  } catch (const std::exception&) {
    bad_member(key, "a hexadecimal number");
  }
  if (used != s.size()) bad_member(key, "a hexadecimal number");
  return v;
}

object to_value(const FaultInfo& f) {
  object o;
  if (f.address) o["address"] = hex_number(*f.address);
  put(o, "access", f.access);
  put_hex(o, "pc", f.pc);
  put(o, "instruction", f.instruction);
  put(o, "base_register", f.base_register);
  if (f.base_value) o["base_value"] = hex_number(*f.base_value);
  if (f.displacement) o["displacement"] = f.displacement;
  if (f.certain) o["certain"] = true;
  json::array members;
  for (const auto& m : f.members) {
    object v;
    put(v, "expression", m.expression);
    put(v, "variable", m.variable);
    put(v, "type", m.type);
    put(v, "member", m.member);
    put_hex(v, "offset", m.offset);
    members.push_back(std::move(v));
  }
  if (!members.empty()) o["members"] = std::move(members);
  put(o, "poison", f.poison);
  put(o, "explanation", f.explanation);
  return o;
}

FaultInfo fault_from(const object& o) {
  FaultInfo f;
  f.address = maybe_hex(o, "address");
  f.access = json::get_string(o, "access");
  f.pc = get_hex_number(o, "pc");
  f.instruction = json::get_string(o, "instruction");
  f.base_register = json::get_string(o, "base_register");
  f.base_value = maybe_hex(o, "base_value");
  f.displacement = json::get_int(o, "displacement");
  f.certain = json::get_bool(o, "certain");
  if (const auto* list = o.if_contains("members"); list && !list->is_null()) {
    if (!list->is_array()) bad_member("members", "an array");
    for (const auto& v : list->as_array()) {
      if (!v.is_object()) bad_member("members", "an array of objects");
      const auto& m = v.as_object();
      f.members.push_back({.expression = json::get_string(m, "expression"),
                           .variable = json::get_string(m, "variable"),
                           .type = json::get_string(m, "type"),
                           .member = json::get_string(m, "member"),
                           .offset = get_hex_number(m, "offset")});
    }
  }
  f.poison = json::get_string(o, "poison");
  f.explanation = json::get_string(o, "explanation");
  return f;
}

object to_value(const PoisonedRegister& p) {
  object o;
  o["name"] = json::utf8(p.name);
  o["value"] = hex_number(p.value);
  o["meaning"] = json::utf8(p.meaning);
  return o;
}

PoisonedRegister poison_from(const object& o) {
  return {.name = json::get_string(o, "name"),
          .value = get_hex_number(o, "value"),
          .meaning = json::get_string(o, "meaning")};
}

object to_value(const SlabObject& s) {
  object o;
  put_hex(o, "address", s.address);
  if (s.size) o["size"] = s.size;
  put(o, "cache", s.cache);
  if (s.offset) o["offset"] = *s.offset;
  put_hex(o, "access", s.access);
  if (s.access_size) o["access_size"] = s.access_size;
  put(o, "state", s.state);
  put(o, "allocated_by", s.allocated_by);
  if (s.allocated_pid >= 0) o["allocated_pid"] = s.allocated_pid;
  put(o, "freed_by", s.freed_by);
  if (s.freed_pid >= 0) o["freed_pid"] = s.freed_pid;
  put(o, "last_user", s.last_user);
  return o;
}

SlabObject slab_object_from(const object& o) {
  SlabObject s;
  s.address = get_hex_number(o, "address");
  s.size = static_cast<std::uint64_t>(json::get_int(o, "size"));
  s.cache = json::get_string(o, "cache");
  if (o.contains("offset")) s.offset = json::get_int(o, "offset");
  s.access = get_hex_number(o, "access");
  s.access_size = static_cast<std::uint64_t>(json::get_int(o, "access_size"));
  s.state = json::get_string(o, "state");
  s.allocated_by = json::get_string(o, "allocated_by");
  s.allocated_pid = static_cast<int>(json::get_int(o, "allocated_pid", -1));
  s.freed_by = json::get_string(o, "freed_by");
  s.freed_pid = static_cast<int>(json::get_int(o, "freed_pid", -1));
  s.last_user = json::get_string(o, "last_user");
  return s;
}

}  // namespace kdev::crash
