#pragma once
// One Workspace::build() call, step by step.
#include <kdev/event.hpp>
#include <kdev/workspace.hpp>
#include <optional>
#include <string>
#include <vector>

#include "build/build_context.hpp"
#include "build/obj_tree.hpp"
#include "build/stage.hpp"

namespace kdev {

class KernelBuild {
 public:
  KernelBuild(const Workspace& ws, const KernConf& conf, const BuildOptions& options);
  KernelArtifact run();
  /// What run() would run, to the end of make.
  std::vector<std::string> commands();

 private:
  struct Plan {
    ResolvedConf resolved;
    Toolchain toolchain;
    std::string outside;  ///< digest of what the configuration names outside the tree
    std::string obj_id, artifact_id;
    std::vector<std::string> targets;
  };
  Plan configure();
  Plan configure(Stage& stage);
  std::optional<KernelArtifact> from_store(const std::string& id);
  KernelArtifact make(Plan plan);
  /// Runs make until the tree stood still meanwhile; the plan of the last run where it is another one.
  std::optional<Plan> make_until_settled(const Plan& first, ObjTree& obj);
  void run_make(const Plan& plan, ObjTree& obj, bool fresh, long expected);
  Path tree_of(const Plan& plan) const;
  void trim_obj_trees(const Path& folder) const;
  /// Digest of what the configuration names outside the tree.
  std::string outside_of(const guest::Values& config);
  guest::MakeRequest request(const Plan& plan, const ObjTree& obj) const;
  KernelArtifact publish(const Plan& plan, const ObjTree& obj);
  std::string title() const;
  void send(const Event& event) const;

  const Workspace& ws_;
  const KernConf& conf_;
  const BuildOptions& options_;
  BuildContext context_;
};

}  // namespace kdev
