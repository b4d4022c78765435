#pragma once
#include <kdev/crash.hpp>
#include <optional>
#include <string_view>

namespace kdev::guest {

/// See FaultRules.
std::optional<SlabObject> freebsd_slab_object(const CrashReport& report);

}  // namespace kdev::guest
