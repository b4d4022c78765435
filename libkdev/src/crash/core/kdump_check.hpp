#pragma once
// What libkdumpfile (0.5.1) believes of a kdump-compressed file without looking, looked at before it does.
#include <string>
#include <string_view>
#include <vector>

#include "crash/core/kdump_format.hpp"
#include "guest/core_rules.hpp"

namespace kdev::crash {

/// Bytes.
constexpr std::uint64_t max_kdump_notes = 64u << 20;

/// Why a file of these headers cannot be given to libkdumpfile; empty: it can. `file_size` in bytes.
std::string check_kdump_headers(const KdumpFileHeader& header, const KdumpSubHeader& sub,
                                std::uint64_t file_size);
/// Likewise of its notes, and of a VMCOREINFO that is not among them.
std::string check_kdump_notes(const std::vector<guest::CoreNote>& notes, std::string_view vmcoreinfo);

}  // namespace kdev::crash
