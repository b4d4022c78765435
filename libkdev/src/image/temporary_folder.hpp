#pragma once
#include <kdev/path.hpp>

namespace kdev {

/// A folder below another (which is made when missing), gone with everything in it at the end. HostError.
struct TemporaryFolder {
  Path path;
  explicit TemporaryFolder(const Path& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
};

}  // namespace kdev
