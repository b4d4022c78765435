#pragma once
#include <kdev/host.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

/// A child to start. All of it is prepared before fork: the child only makes system calls.
struct Launch {
  Path executable;  ///< absolute, or relative to the caller's directory
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< "NAME=value"
  std::optional<Path> cwd;
  std::vector<PassedFd> fds;  ///< all it gets, 0, 1 and 2 included; the rest is closed
};

/// Starts it as leader of a session and process group of its own, with an empty signal mask and default
/// dispositions. Returns when exec has succeeded. Throws HostError; then there is no child. Thread-safe.
int launch(const Launch& what);

}  // namespace kdev
