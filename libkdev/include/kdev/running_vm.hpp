#pragma once
#include <kdev/deadline.hpp>
#include <kdev/debug_session.hpp>
#include <kdev/export.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <string>
#include <vector>

namespace kdev {

/// A VM that runs, as its folder tells other processes of the same user. A value.
struct RunningVm {
  std::string name{};
  Path directory{};             ///< VM::directory()
  KernelArtifact kernel{};      ///< that it runs: system, release, build id, source, files with symbols
  std::vector<Path> modules{};  ///< files of those that were added
  bool operator==(const RunningVm&) const = default;
};

/// Those whose folders lie in `run_dir` (VmSpec::run_dir, or run/ of a workspace), by name. One that is being
/// started or ended may be missing.
KDEV_API std::vector<RunningVm> running_vms(const Path& run_dir);

/// gdb on it, over its machine's stub, whatever process started it. What that process does with it meanwhile
/// waits. HostError: it has ended. As VM::debug() otherwise.
KDEV_API DebugSession debug_running(const RunningVm& vm, const Deadline& deadline = {});

}  // namespace kdev
