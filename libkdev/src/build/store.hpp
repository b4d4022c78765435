#pragma once
// The artifact store: artifacts/ID/, each published whole by one rename.
#include <kdev/host.hpp>
#include <kdev/workspace.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

/// A folder that becomes artifacts/ID when publish() is called, and is removed otherwise.
class StagedArtifact {
 public:
  StagedArtifact(Host& host, const Path& artifacts, std::string id);
  StagedArtifact(const StagedArtifact&) = delete;
  StagedArtifact& operator=(const StagedArtifact&) = delete;
  ~StagedArtifact();

  const Path& dir() const { return dir_; }
  /// Where it will be.
  Path destination() const { return artifacts_ / id_; }
  /// Copies a file into it; blocks are shared with the original where the file system can do that.
  void add(const Path& file, const Path& name);
  /// Copies a folder with all it holds; links stay links.
  void add_tree(const Path& folder, const Path& name);
  /// HostError. When somebody else has published the same meanwhile, theirs stays.
  void publish();

 private:
  Host* host_;
  Path artifacts_, dir_;
  std::string id_;
};

/// The artifact.json of a stored artifact; nothing when there is none, or when a file that it names in
/// "files" is gone or has another size. Marks it as used now.
std::optional<std::string> stored_artifact(Host& host, const Path& artifacts, const std::string& id);

/// artifact.json: the artifact's own JSON, with members "kind", "title" and "files" (path and size of each
/// file of `dir`) added.
std::string artifact_record(Host& host, const std::string& artifact_json, const std::string& kind,
                            const std::string& title, const Path& dir);

/// What an interrupted build left of its unpublished artifact. Called under the build lock.
void remove_unpublished(Host& host, const Path& artifacts);

std::vector<StoredArtifact> list_store(Host& host, const Path& artifacts);

}  // namespace kdev
