#include "image/compression_name.hpp"

#include <algorithm>
#include <array>
#include <kdev/error.hpp>

namespace kdev {
namespace {

constexpr std::array<std::string_view, 3> names = {"none", "gzip", "zstd"};

}  // namespace

std::string_view compression_name(Compression compression) {
  return names[static_cast<std::size_t>(compression)];
}

Compression compression_named(std::string_view name, const std::string& what) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<Compression>(at - names.begin());
  throw FormatError({.attempted = "read " + what,
                     .reason = "\"" + std::string(name) + "\" is no compression",
                     .hint = "none, gzip or zstd",
                     .log = {}});
}

}  // namespace kdev
