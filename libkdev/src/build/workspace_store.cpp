#include <kdev/workspace.hpp>

#include "build/store.hpp"

namespace kdev {

std::vector<StoredArtifact> Workspace::stored() const {
  return list_store(host(), artifacts());
}

}  // namespace kdev
