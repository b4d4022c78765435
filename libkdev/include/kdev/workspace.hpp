#pragma once
#include <memory>
#include <string>
#include <vector>

#include <kdev/deadline.hpp>
#include <kdev/event.hpp>
#include <kdev/host.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/source_tree.hpp>
#include <kdev/userland_artifact.hpp>

namespace kdev {

struct WorkspaceOptions {
  Path source{};                 ///< kernel source tree; never written to. Empty: as when the workspace was created
  std::shared_ptr<Host> host{};  ///< null: local_host()
};

struct BuildOptions {
  int jobs = 0;                         ///< 0: one per CPU of the host
  std::vector<std::string> targets{};     ///< make targets; empty: image, vmlinux and modules. E.g. {"bzImage"}
  Deadline deadline{};
  EventSink on_event{};
};

/// What a store holds.
struct StoredArtifact {
  std::string id, kind, title;  ///< kind: "kernel", "module"
  Path dir;
  std::uint64_t bytes = 0;
};

/// A folder of kdev's own beside an untouched source tree:
///   src/ (out-of-tree modules and scaffolds)  obj/ (build output)  sysroot/  artifacts/ (the store)  run/ (VMs, leases)
/// Opening one reaps what dead owners left in run/. A move-only handle; several handles and processes may share one
/// folder: builds take a lock on it. Const calls are thread-safe.
class KDEV_API Workspace {
 public:
  /// Creates the folder if need be ("~" is expanded). ConfigError: no source tree, not a tree, one of a
  /// guest that cannot be built yet.
  explicit Workspace(const Path& root, WorkspaceOptions options = {});
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  const Path& root() const;
  const Path& source() const;
  const SourceTree& tree() const;
  Host& host() const;
  Path src() const { return root() / "src"; }
  Path obj() const { return root() / "obj"; }
  Path sysroot() const { return root() / "sysroot"; }
  Path artifacts() const { return root() / "artifacts"; }
  Path run() const { return root() / "run"; }
  /// What was reaped when this handle was opened, for people.
  const std::vector<std::string>& reaped() const;

  /// Kernel from config: from the store when tree, config, toolchain and flags are unchanged, else by make.
  /// ConfigError, BuildError (with diagnostics), HostError. A second build at once waits for the lock until the
  /// deadline and says so in a Notice.
  KernelArtifact build(const KernConf& conf, const BuildOptions& options = {}) const;
  /// The module in `dir` (Linux: a Kbuild makefile with obj-m; FreeBSD: one that includes bsd.kmod.mk) for `kernel`.
  ModuleArtifact build_module(const Path& dir, const KernelArtifact& kernel, const BuildOptions& options = {}) const;
  /// Puts a kernel with its modules and debug information into `dest`, a root's folder (default: sysroot()), as the
  /// guest's own installation does, without root's rights. `name`: FreeBSD's INSTKERNNAME, default "kernel", whose
  /// owners and modes are added to `dest`/METALOG; Linux's vmlinuz-NAME, default the release. One of that name is
  /// replaced. ConfigError: not a name; Linux: a kernel without bzImage. HostError.
  InstalledKernel install_kernel(const KernelArtifact& kernel, const Path& dest = {}, const std::string& name = "") const;
  /// The commands that build() would run for it, as a person would type them into a shell; nothing is built, and what is
  /// in the store makes no difference. Errors as build()'s, of configuring.
  std::vector<std::string> build_commands(const KernConf& conf, const BuildOptions& options = {}) const;
  /// What build_userland() takes; empty where the tree holds the kernel alone.
  std::vector<std::string> userlands() const;
  /// Programs for the guest from the same tree (FreeBSD: "rescue", the static set of /rescue, the usual one); from the
  /// store when nothing changed. ConfigError where the tree holds the kernel alone, and for an unknown kind.
  UserlandArtifact build_userland(const std::string& kind = "", const BuildOptions& options = {}) const;
  /// Writes a scaffold ("hello": a small module and its makefile; FreeBSD: "geom-class" too) to `dir`, default
  /// src()/name. ConfigError when files are there already, and for an unknown kind, with the known ones.
  Path scaffold(const std::string& kind, const std::string& name, const Path& dir = {}) const;

  std::vector<StoredArtifact> stored() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kdev
