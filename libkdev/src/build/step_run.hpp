#pragma once
// Running the commands of a build, with progress and diagnostics.
#include <kdev/workspace.hpp>
#include <string>

#include "build/diagnostics.hpp"
#include "build/progress.hpp"
#include "guest/build_rules.hpp"

namespace kdev {

/// Not thread-safe; used under the workspace's build lock.
class StepRun {
 public:
  StepRun(const Workspace& ws, const guest::BuildRules& rules, const BuildOptions& options)
      : ws_(ws), rules_(rules), options_(options) {}

  /// One command, appended to the log; its stamp is written when it ends well. Its failure is in the result.
  ProcessResult run(const guest::MakeStep& step, const Path& log, DiagnosticReader& diagnostics,
                    BuildProgress& progress) const;
  /// Of the steps those that serve several builds, each a stage of its own, where its stamp says that it is
  /// due. `title`: what is built. BuildError, HostError.
  void run_shared(const std::vector<guest::MakeStep>& steps, const std::string& title) const;

 private:
  const Workspace& ws_;
  const guest::BuildRules& rules_;
  const BuildOptions& options_;
};

}  // namespace kdev
