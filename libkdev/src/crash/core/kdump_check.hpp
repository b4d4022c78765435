#pragma once
// What a kdump-compressed file says of itself, looked at before it is believed.
#include <string>
#include <vector>

#include "crash/core/kdump_format.hpp"
#include "guest/core_rules.hpp"

namespace kdev::crash {

/// Bytes.
constexpr std::uint64_t max_kdump_notes = 64u << 20;

/// Why a file of these headers cannot be read; empty: it can. `file_size` in bytes.
std::string check_kdump_headers(const KdumpFileHeader& header, const KdumpSubHeader& sub,
                                std::uint64_t file_size);
/// Likewise of its notes.
std::string check_kdump_notes(const std::vector<guest::CoreNote>& notes);

}  // namespace kdev::crash
