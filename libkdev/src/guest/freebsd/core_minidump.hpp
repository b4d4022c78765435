#pragma once
#include <memory>

#include "guest/core_rules.hpp"

namespace kdev::guest {

/// A minidump of amd64, versions 1 to 3 (sys/amd64/include/minidump.h); null: the file is none. FormatError:
/// it is one whose header makes no sense.
std::unique_ptr<CoreMemory> open_freebsd_minidump(const CoreBytes& bytes);

}  // namespace kdev::guest
