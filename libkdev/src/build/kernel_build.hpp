#pragma once
// One Workspace::build() call, step by step.
#include <kdev/event.hpp>
#include <kdev/workspace.hpp>
#include <optional>
#include <string>
#include <vector>

#include "build/build_context.hpp"
#include "build/obj_tree.hpp"

namespace kdev {

class KernelBuild {
 public:
  KernelBuild(const Workspace& ws, const KernConf& conf, const BuildOptions& options);
  KernelArtifact run();

 private:
  struct Plan {
    ResolvedConf resolved;
    Toolchain toolchain;
    std::string outside;  ///< digest of what the configuration names outside the tree
    std::string obj_id, artifact_id;
    std::vector<std::string> targets;
  };
  Plan configure();
  std::optional<KernelArtifact> from_store(const std::string& id);
  KernelArtifact make(Plan plan);
  void run_make(const Plan& plan, ObjTree& obj, long expected);
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
