#include "common/json.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

namespace kdev::json {
namespace {

[[noreturn]] void wrong_type(std::string_view key, const char* wanted) {
  throw FormatError({.attempted = "read JSON",
                     .reason = fmt::format("member \"{}\" is not {}", key, wanted),
                     .hint = "",
                     .log = {}});
}

const value* find(const object& o, std::string_view key) {
  const value* v = o.if_contains(key);
  return v && !v->is_null() ? v : nullptr;
}

void print(std::string& out, const value& v, int depth) {
  const std::string pad(2 * (depth + 1), ' '), end(2 * depth, ' ');
  if (const object* o = v.if_object(); o && !o->empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& [key, member] : *o) {
      if (!first) out += ",\n";
      first = false;
      out += pad + boost::json::serialize(key) + ": ";
      print(out, member, depth + 1);
    }
    out += "\n" + end + "}";
  } else if (const array* a = v.if_array(); a && !a->empty()) {
    out += "[\n";
    bool first = true;
    for (const value& element : *a) {
      if (!first) out += ",\n";
      first = false;
      out += pad;
      print(out, element, depth + 1);
    }
    out += "\n" + end + "]";
  } else {
    out += boost::json::serialize(v);
  }
}

}  // namespace

object parse_object(std::string_view text, std::string_view what) {
  boost::json::error_code ec;
  value v = boost::json::parse(text, ec);
  if (ec)
    throw FormatError({.attempted = fmt::format("read {}", what),
                       .reason = "no valid JSON: " + ec.message(),
                       .hint = "",
                       .log = {}});
  if (!v.is_object())
    throw FormatError(
        {.attempted = fmt::format("read {}", what), .reason = "not a JSON object", .hint = "", .log = {}});
  return std::move(v.as_object());
}

std::string get_string(const object& o, std::string_view key, std::string fallback) {
  const value* v = find(o, key);
  if (!v) return fallback;
  if (!v->is_string()) wrong_type(key, "a string");
  return std::string(v->as_string());
}

std::int64_t get_int(const object& o, std::string_view key, std::int64_t fallback) {
  const value* v = find(o, key);
  if (!v) return fallback;
  if (v->is_int64()) return v->as_int64();
  if (v->is_uint64()) return static_cast<std::int64_t>(v->as_uint64());
  wrong_type(key, "an integer");
}

double get_double(const object& o, std::string_view key, double fallback) {
  const value* v = find(o, key);
  if (!v) return fallback;
  if (!v->is_number()) wrong_type(key, "a number");
  return v->to_number<double>();
}

bool get_bool(const object& o, std::string_view key, bool fallback) {
  const value* v = find(o, key);
  if (!v) return fallback;
  if (!v->is_bool()) wrong_type(key, "true or false");
  return v->as_bool();
}

Path get_path(const object& o, std::string_view key) {
  return Path(get_string(o, key));
}

std::vector<std::string> get_strings(const object& o, std::string_view key) {
  std::vector<std::string> result;
  const value* v = find(o, key);
  if (!v) return result;
  if (!v->is_array()) wrong_type(key, "an array");
  for (const value& element : v->as_array()) {
    if (!element.is_string()) wrong_type(key, "an array of strings");
    result.emplace_back(element.as_string());
  }
  return result;
}

std::string utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    std::size_t length = c < 0x80                ? 1
                         : c >= 0xc2 && c < 0xe0 ? 2
                         : c >= 0xe0 && c < 0xf0 ? 3
                         : c >= 0xf0 && c < 0xf5 ? 4
                                                 : 0;
    bool good = length != 0 && i + length <= bytes.size();
    for (std::size_t k = 1; good && k < length; ++k)
      good = (static_cast<unsigned char>(bytes[i + k]) & 0xc0) == 0x80;
    if (good && length > 2) {
      // Overlong forms, surrogates and what lies past U+10FFFF (RFC 3629, section 4).
      const auto d = static_cast<unsigned char>(bytes[i + 1]);
      good = !(c == 0xe0 && d < 0xa0) && !(c == 0xed && d >= 0xa0) && !(c == 0xf0 && d < 0x90) &&
             !(c == 0xf4 && d >= 0x90);
    }
    if (good) {
      out.append(bytes.substr(i, length));
      i += length;
    } else {
      out += "\xef\xbf\xbd";
      ++i;
    }
  }
  return out;
}

array from_strings(const std::vector<std::string>& strings) {
  array a;
  for (const std::string& s : strings) a.emplace_back(utf8(s));
  return a;
}

object from_map(const std::map<std::string, std::string>& strings) {
  object o;
  for (const auto& [name, text] : strings) o[utf8(name)] = utf8(text);
  return o;
}

std::map<std::string, std::string> get_map(const object& o, std::string_view key) {
  std::map<std::string, std::string> result;
  const value* v = find(o, key);
  if (!v) return result;
  if (!v->is_object()) wrong_type(key, "an object");
  for (const auto& [name, text] : v->as_object()) {
    if (!text.is_string()) wrong_type(key, "an object of strings");
    result[std::string(name)] = std::string(text.as_string());
  }
  return result;
}

std::string dump(const value& v, bool pretty) {
  if (!pretty) return boost::json::serialize(v);
  std::string out;
  print(out, v, 0);
  return out;
}

}  // namespace kdev::json
