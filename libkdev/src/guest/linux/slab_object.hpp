#pragma once
#include <kdev/crash.hpp>
#include <optional>
#include <string_view>

namespace kdev::guest {

/// See FaultRules.
std::optional<SlabObject> linux_slab_object(const CrashReport& report);
std::optional<int> linux_object_trace(std::string_view name, bool freed);

}  // namespace kdev::guest
