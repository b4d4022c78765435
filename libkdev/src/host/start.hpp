#pragma once
#include <memory>
#include <string>
#include <vector>

#include "host/child.hpp"
#include "host/unique_fd.hpp"

namespace kdev {

/// Starts the command with the descriptors of `fds` (1 and 2 among them); standard input is command.input or
/// /dev/null. `lease` becomes KDEV_LEASE unless it is empty. HostError.
std::unique_ptr<Child> start(const Command& command, std::vector<PassedFd> fds, const std::string& lease);

/// Opened for appending, made if need be. HostError.
UniqueFd open_log(const Path& path);

}  // namespace kdev
