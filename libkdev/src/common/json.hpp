#pragma once
// Small helpers around Boost.JSON for the to_json()/from_json() pairs of the values.
#include <boost/json.hpp>
#include <kdev/path.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// FormatError that names `what` when the text is no JSON object.
object parse_object(std::string_view text, std::string_view what);
/// The member, or the default when absent or null. FormatError for a wrong type.
std::string get_string(const object& o, std::string_view key, std::string fallback = {});
std::int64_t get_int(const object& o, std::string_view key, std::int64_t fallback = 0);
double get_double(const object& o, std::string_view key, double fallback = 0);
bool get_bool(const object& o, std::string_view key, bool fallback = false);
Path get_path(const object& o, std::string_view key);
std::vector<std::string> get_strings(const object& o, std::string_view key);
/// Strings from guests and logs may hold bytes that are not UTF-8: replaced by U+FFFD.
std::string utf8(std::string_view bytes);
array from_strings(const std::vector<std::string>& strings);
object from_map(const std::map<std::string, std::string>& strings);
/// The member, an object of strings; empty when absent. FormatError for a wrong type.
std::map<std::string, std::string> get_map(const object& o, std::string_view key);
/// Serialized, two-space indented when `pretty`.
std::string dump(const value& v, bool pretty = false);

}  // namespace kdev::json
