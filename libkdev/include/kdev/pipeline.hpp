#pragma once
#include <memory>
#include <string>
#include <vector>

#include <kdev/crash.hpp>
#include <kdev/event.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/seed_image.hpp>
#include <kdev/vm.hpp>
#include <kdev/workspace.hpp>

namespace kdev {

struct StageResult {
  std::string stage{};    ///< "build", "boot", "run", ...
  std::string text{};     ///< what it did: the command, the config
  std::string outcome{};  ///< "done", "cached", "failed", "skipped", "interrupted"
  Seconds duration{};
  std::string error{};    ///< what() of what went wrong
  bool operator==(const StageResult&) const = default;
};

struct KDEV_API PipelineResult {
  std::string name;
  bool ok = false;
  std::vector<StageResult> stages;
  std::vector<CommandResult> commands;
  std::vector<CrashReport> crashes;
  std::optional<KernelArtifact> kernel;
  Path console_log;
  Seconds duration{};
  std::string to_json() const;
  std::string to_text() const;  ///< stage table
};

/// A declared build -> boot -> run -> crash -> analyze sequence: a value built by chaining; nothing runs before run().
class KDEV_API Pipeline {
 public:
  explicit Pipeline(std::string name = "pipeline");
  Pipeline build(const Workspace& ws, const KernConf& conf) const;   ///< ws is opened anew by its root when run
  Pipeline kernel(const KernelArtifact& kernel) const;               ///< in place of build()
  Pipeline module(const Path& dir) const;                            ///< out-of-tree, into the image as /m/NAME.ko
  Pipeline boot(const SeedImage& image, const VmSpec& spec = {}) const;
  Pipeline run(const std::string& command, const CommandOptions& options = {}) const;
  Pipeline push(const Path& source, const std::string& guest_path) const;
  Pipeline pull(const std::string& guest_path, const Path& destination) const;
  Pipeline reboot(const Workspace& ws, const KernConf& conf) const;  ///< builds, installs, reboots into it
  /// The command before must have crashed the kernel; title is matched with fnmatch(3) wildcards.
  Pipeline expect_crash(const std::string& title = "*", Seconds timeout = Seconds{30}) const;
  Pipeline analyze() const;  ///< symbolize every crash seen

  const std::string& name() const { return name_; }
  std::vector<std::string> stage_names() const;
  /// Runs all stages; a failing one ends the run, the rest is "skipped". Never throws for a stage's failure;
  /// Interrupted passes through after everything was closed.
  PipelineResult run(EventSink on_event = {}, std::stop_token stop = {}) const;

 private:
  struct Stage;
  Pipeline with(std::shared_ptr<const Stage> stage) const;
  std::string name_;
  std::vector<std::shared_ptr<const Stage>> stages_;
};

}  // namespace kdev
