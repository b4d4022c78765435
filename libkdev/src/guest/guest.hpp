#pragma once
// The contract a guest operating system fills, and the porting checklist: a folder guest/NAME/ with these
// files:
//   tree.cpp     recognise a source tree
//   conf.cpp     configuration: bases, presets, merging, the tree's own tool, lost options
//   build.cpp    configure and make: targets, products, progress
//   boot.cpp     boot plans: how its kernel gets started, command line, what the console shows
//   disk.cpp     a disk that its loader boots, kernels on it
//   console.cpp  formats of its crash reports
//   debugger.cpp the debugger in its kernel: its prompt, its commands
//   gdb.cpp      what a stock gdb has to be told of its kernel
//   symbols.cpp  what ties those to the kernel's and the modules' files
//   core.cpp     what its kernel leaves of itself: dumps on disks, formats, structures
//   scaffold.cpp examples of modules to start from
//   userland.cpp programs for the guest, where they come from the same tree
// and its lines in the tables of guest.cpp and consoles.cpp. Nothing outside guest/ asks which guest it is:
// scripts/lint_layout.py looks.
#include <functional>
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/source_tree.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guest/boot_plan.hpp"
#include "guest/disk_layout.hpp"
#include "guest/scaffold.hpp"

namespace kdev::guest {

class ConfRules;      // guest/conf_rules.hpp
class BuildRules;     // guest/build_rules.hpp
class ConsoleRules;   // guest/console_rules.hpp
class DebuggerRules;  // guest/debugger_rules.hpp
class GdbRules;       // guest/gdb_rules.hpp
class SymbolRules;    // guest/symbol_rules.hpp
class DumpRules;      // guest/dump_rules.hpp
class UserlandRules;  // guest/userland_rules.hpp
class CoreRules;      // guest/core_rules.hpp

/// What boot planning needs to know.
struct BootRequest {
  const KernelArtifact& kernel;
  std::string cmdline;  ///< the user's
  bool root = true;     ///< a first file system comes along, where no disk is booted: BootPlan::initrd
  bool agent = true;    ///< kdev's agent is to be the first process
  /// A file's text in the image, empty when there is none: for what a loader would read. Empty: no image.
  std::function<std::string(const std::string& path)> text = {};
  bool loaders = false;  ///< the image has boot loaders: a disk can be made of it
  /// The debugger in the kernel is not entered when it panics: it dumps, if it can, and reboots.
  bool unattended = false;
  bool debug_port = false;  ///< the kernel's gdb stub gets the second serial port
  bool debug_wait = false;  ///< ... and the kernel stops in its debugger as early as it can
  /// The debugger in the kernel is to be at its prompt on the console when it panics.
  bool debugger_on_console = false;
};

/// Files and folders by which a source tree is known.
struct TreeMarks {
  std::vector<std::string> found, missing;
};

class Guest {
 public:
  virtual ~Guest() = default;
  virtual Os os() const = 0;
  /// The host's tree at `path` if it is one of this guest's; its version filled in. Reads files only.
  virtual std::optional<SourceTree> detect(Host& host, const Path& path) const = 0;
  /// What of this guest's trees `path` has not got, and what it has: for the message when it is none.
  virtual TreeMarks marks(Host& host, const Path& path) const = 0;
  /// ConfigError when a tree of this guest cannot be built out of tree as it is now (left-overs of a build in
  /// place). Called when a workspace is made, and whenever its tree is scanned: before it is configured or
  /// built, and before a module is. Reads files only.
  virtual void check_tree(Host&, const SourceTree&) const {}
  /// By preference, without an initrd: the caller makes that for the plan it chooses. Empty: this guest
  /// cannot boot such a kernel.
  virtual std::vector<BootPlan> boot_plans(const BootRequest& request) const = 0;
  /// What BootPlan::initrd has to be.
  virtual RootFormat root_format() const { return RootFormat::initramfs; }
  /// Makes in `dir`, a folder of the machine's own, what the plan needs beyond the kernel's files. The plan
  /// as hypervisors take it. FormatError, HostError.
  virtual BootPlan prepare(BootPlan plan, const Path&) const { return plan; }
  /// What a disk has to hold for a plan that boots it. ConfigError.
  virtual DiskLayout disk_layout(const DiskRequest& request) const;
  /// The files of a kernel on a disk, where its loader looks for one of this name; empty: for the usual one.
  virtual std::vector<ImageEntry> kernel_entries(const KernelArtifact& kernel, const std::string& name) const;
  /// How its loader is told which kernel of a disk to take: the next time alone, or whenever it is not told.
  virtual FileChange select_kernel(const std::string& name, bool once) const;
  /// How a guest of this kind mounts the root on its first disk, to change another guest's image: ConfigError
  /// where kdev does not know.
  virtual DiskMount mount_first_disk() const;
  /// The files that start kdev's agent in a system with an init of its own.
  virtual std::vector<ImageEntry> agent_service(const Path& agent) const;
  /// kdev's agent for this guest, made in `dir` with the libraries in `sysroot`; the one that is there
  /// already if it is no older than what it is made of. Empty: agent_program() fits as it is. ConfigError,
  /// HostError.
  virtual Path make_agent(Host&, const Path& /*sysroot*/, const Path& /*dir*/, const Deadline&) const {
    return {};
  }
  /// Tells apart what make_agent() would make the agent of. Empty: agent_program() fits as it is.
  virtual std::string agent_sources_id(Host&) const { return {}; }
  // Null where the guest has not got that far: the caller says "not yet".
  virtual const ConfRules* conf() const { return nullptr; }
  virtual const BuildRules* build() const { return nullptr; }
  virtual const ConsoleRules* console() const { return nullptr; }
  virtual const DebuggerRules* debugger() const { return nullptr; }
  virtual const GdbRules* gdb() const { return nullptr; }
  /// BootRequest::debug_wait is something to it.
  virtual bool waits_for_debugger() const { return false; }
  /// Null for a guest whose tree holds the kernel alone.
  virtual const UserlandRules* userland() const { return nullptr; }
  virtual const CoreRules* core() const { return nullptr; }
  virtual const DumpRules* dumps() const { return nullptr; }
  /// Without rules of its own: those that know of no guest.
  virtual const SymbolRules& symbols() const;
  /// None where the guest has not got that far.
  virtual const std::vector<Scaffold>& scaffolds() const;
};

/// The guest for an OS.
const Guest& guest_for(Os os);
/// All of them, in detection order.
const std::vector<const Guest*>& all_guests();

}  // namespace kdev::guest
