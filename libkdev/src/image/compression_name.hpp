#pragma once
#include <kdev/compression.hpp>
#include <string>
#include <string_view>

namespace kdev {

/// As JSON has it: "none", "gzip", "zstd".
std::string_view compression_name(Compression compression);
/// FormatError: no compression has that name in `what`.
Compression compression_named(std::string_view name, const std::string& what);

}  // namespace kdev
