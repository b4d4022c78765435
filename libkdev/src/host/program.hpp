#pragma once
#include <kdev/host.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

/// `name` in the ':'-separated folders of `search`; the first that is an executable file.
std::optional<Path> find_program(const std::string& name, const std::string& search);
/// $PATH, with /usr/sbin and /sbin behind it: tools for links and file systems live there, and a user's PATH
/// lacks them.
std::string default_search_path();
/// What execve is to run for `command`: absolute. HostError says why there is nothing to run.
Path resolve_program(const Command& command);
/// This process's environment with the command's changes; sorted by name.
std::map<std::string, std::string> child_environment(const Command& command);

}  // namespace kdev
