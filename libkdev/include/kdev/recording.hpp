#pragma once
#include <cstdint>
#include <kdev/bundle.hpp>
#include <kdev/deadline.hpp>
#include <kdev/debug_session.hpp>
#include <kdev/export.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

struct ReplayOptions {
  /// Stands at the end, where the guest crashed or was stopped; else before its first instruction.
  bool at_end = true;
  Seconds timeout{120};  ///< to get there
  Path run_dir{};        ///< where the machine's folder and logs go, as VmSpec::run_dir
  std::stop_token stop{};
};

/// A guest's run, from its first instruction to its end: what came into the machine from outside, and the
/// machine that it came into. The same instructions run again in every replay, on the same addresses, with
/// the same hypervisor. A value; `file` lies beside the VM's logs and belongs to nobody: it goes when it is
/// removed, or with the oldest logs.
struct KDEV_API Recording {
  Path file{};                     ///< the hypervisor's log of what came from outside
  std::uint64_t instructions = 0;  ///< executed where a replay ends: the last but one of the run
  std::string hypervisor{};        ///< "QEMU emulator version 7.2.22 (...)": no other replays it
  std::string machine{};           ///< what it is made of (JSON), for that hypervisor
  KernelArtifact kernel{};
  std::vector<Path> modules{};  ///< that were added to the image, for their symbols
  std::shared_ptr<const void>
      keep{};  ///< a folder that its files are in; null: nobody's. No part of its value

  /// The run again, under gdb, in a machine that lives as long as the session. Beside what every session
  /// does, this one goes back in time: each step there is a replay from the start. ConfigError: another
  /// hypervisor is installed, or a file is missing; HostError, DebugError, TimeoutError.
  DebugSession replay(const ReplayOptions& options = {}) const;
  /// Of a crash that was saved with one. Its symbols are the bundle's, where it has them. A replay boots the
  /// kernel that is in the bundle, in a machine without disks and network; the hypervisor believes the
  /// recording, so replay only what you would run. FormatError.
  static Recording from_bundle(const Bundle& bundle, const Deadline& deadline = {});
  /// What from_bundle() reads. ConfigError: it is of a machine that a bundle cannot describe.
  RecordedRun for_bundle() const;
  std::string to_json() const;
  static Recording from_json(std::string_view json);
  bool operator==(const Recording& other) const { return to_json() == other.to_json(); }
};

}  // namespace kdev
