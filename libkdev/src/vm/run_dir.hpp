#pragma once
#include <fmt/format.h>

#include <kdev/vm.hpp>
#include <string>

#include "host/lease.hpp"

namespace kdev::vm {

/// A VM's own folder (0700: sockets, initramfs links) below the run directory, leased, and its logs beside
/// it, which outlive it. Move-only; the destructor removes the folder and the lease, never the logs.
class RunDir {
 public:
  /// `base`: VmSpec::run_dir, else run/ of the kernel's workspace, else a folder per user.
  RunDir(const VmSpec& spec, const std::string& vm);
  RunDir(RunDir&&) = default;
  ~RunDir();
  const Path& path() const { return path_; }
  Lease& lease() { return lease_; }
  const Path& console_log() const { return console_log_; }
  const Path& hypervisor_log() const { return hypervisor_log_; }
  /// Where the next boot's recording goes, beside the logs: to a file of its own.
  Path new_tape() { return Path(fmt::format("{}-{}.tape", tape_.string(), ++tapes_)); }
  /// Where images are kept between boots.
  const Path& image_cache() const { return image_cache_; }

 private:
  Path path_, console_log_, hypervisor_log_, tape_, image_cache_;
  Lease lease_;
  unsigned tapes_ = 0;
};

}  // namespace kdev::vm
