#pragma once
#include <kdev/core.hpp>
#include <vector>

#include "crash/core/media.hpp"

namespace kdev::crash {

/// Every dump on the medium; offsets are the medium's.
std::vector<DumpInfo> dumps_on(const guest::CoreBytes& media);

}  // namespace kdev::crash
