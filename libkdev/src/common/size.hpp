#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace kdev {

/// "512M", "2G": a whole number with K, M, G or T (KiB ... TiB too), in bytes; a bare number counts
/// `unit` bytes each. ConfigError, which tells `what` the size is of, when it is none, zero or above 1 PiB.
std::uint64_t parse_size(std::string_view text, const std::string& what, std::uint64_t unit);

}  // namespace kdev
