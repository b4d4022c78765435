#include "common/cpio_list.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <kdev/error.hpp>

namespace kdev {
namespace {

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c));
}

[[noreturn]] void fail(std::string reason) {
  throw FormatError(
      {.attempted = "read a gen_init_cpio list", .reason = std::move(reason), .hint = "", .log = {}});
}

}  // namespace

std::vector<std::string_view> cpio_list_words(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size();) {
    if (is_space(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && !is_space(line[end])) ++end;
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  if (!words.empty() && words[0].starts_with('#')) words.clear();
  return words;
}

std::string expand_cpio_location(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t start = text.find("${");
    out += text.substr(0, start);
    if (start == text.npos) return out;
    const std::size_t end = text.find('}', start);
    if (end == text.npos) fail(fmt::format("\"{}\" has no closing brace", text.substr(start)));
    const std::string name(text.substr(start + 2, end - start - 2));
    const char* value = std::getenv(name.c_str());
    if (!value) fail(fmt::format("the environment variable {} is not set", name));
    out += value;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace kdev
