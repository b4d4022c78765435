#pragma once
#include <cstdint>
#include <string>

#include "host/unique_fd.hpp"

namespace kdev {

/// Memory with a descriptor and no name, of zeros: gone when nobody has it open or mapped any more. Its size
/// is fixed, so that a mapping of it is good for ever. HostError.
UniqueFd memory_file(const std::string& name, std::uint64_t size);

}  // namespace kdev
