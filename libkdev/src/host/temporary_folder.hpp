#pragma once
#include <kdev/path.hpp>

#include "host/unique_fd.hpp"

namespace kdev {

/// A folder of the user's own (0700) below another (which is made when missing), gone with everything in it
/// at the end. What a killed process left of such folders goes when the next one is made. HostError.
struct TemporaryFolder {
  Path path;
  explicit TemporaryFolder(const Path& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

 private:
  UniqueFd held_;  ///< locked while its owner lives
};

}  // namespace kdev
