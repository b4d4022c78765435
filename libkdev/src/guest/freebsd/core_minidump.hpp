#pragma once
#include <memory>

#include "guest/core_rules.hpp"

namespace kdev::guest {

/// Minidumps of amd64 and arm64, versions 1 to 3; null: the file is none of that machine. FormatError: it is
/// one whose header makes no sense.
std::unique_ptr<CoreMemory> open_amd64_minidump(const CoreBytes& bytes);
std::unique_ptr<CoreMemory> open_arm64_minidump(const CoreBytes& bytes);

}  // namespace kdev::guest
