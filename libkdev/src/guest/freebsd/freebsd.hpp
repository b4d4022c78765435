#pragma once
// The FreeBSD guest.
#include <optional>
#include <vector>

#include "guest/fault_rules.hpp"
#include "guest/guest.hpp"

namespace kdev::guest {

/// The tree at `path` when it is one of FreeBSD: sys/conf/newvers.sh that states REVISION and BRANCH,
/// sys/kern/.
std::optional<SourceTree> detect_freebsd(Host& host, const Path& path);

const ConfRules& freebsd_conf_rules();             // conf.cpp
const BuildRules& freebsd_build_rules();           // build.cpp
const ConsoleRules& freebsd_console_rules();       // console.cpp
const DebuggerRules& freebsd_debugger_rules();     // debugger.cpp
const GdbRules& freebsd_gdb_rules();               // gdb.cpp
const SymbolRules& freebsd_symbol_rules();         // symbols.cpp
const DumpRules& freebsd_dump_rules();             // dump_settings.cpp
const UserlandRules& freebsd_userland_rules();     // userland.cpp
const CoreRules& freebsd_core_rules();             // core.cpp
const FaultRules& freebsd_fault_rules();           // fault.cpp
const std::vector<Scaffold>& freebsd_scaffolds();  // scaffold.cpp

class FreebsdGuest final : public Guest {
 public:
  Os os() const override { return Os::freebsd; }
  std::optional<SourceTree> detect(Host& host, const Path& path) const override {
    return detect_freebsd(host, path);
  }
  TreeMarks marks(Host& host, const Path& path) const override;
  std::vector<BootPlan> boot_plans(const BootRequest& request) const override;
  RootFormat root_format() const override { return RootFormat::ufs; }
  BootPlan prepare(BootPlan plan, const Path& dir) const override;
  DiskLayout disk_layout(const DiskRequest& request) const override;
  std::vector<ImageEntry> kernel_entries(const KernelArtifact& kernel,
                                         const std::string& name) const override;
  DiskMount mount_first_disk() const override;
  std::vector<ImageEntry> agent_service(const Path& agent) const override;
  FileChange select_kernel(const std::string& name, bool once) const override;
  Path make_agent(Host& host, const Path& sysroot, const Path& dir, const Deadline& deadline) const override;
  std::string agent_sources_id(Host& host) const override;
  const ConfRules* conf() const override { return &freebsd_conf_rules(); }
  const BuildRules* build() const override { return &freebsd_build_rules(); }
  const std::vector<Scaffold>& scaffolds() const override { return freebsd_scaffolds(); }
  const ConsoleRules* console() const override { return &freebsd_console_rules(); }
  const DebuggerRules* debugger() const override { return &freebsd_debugger_rules(); }
  const CoreRules* core() const override { return &freebsd_core_rules(); }
  const GdbRules* gdb() const override { return &freebsd_gdb_rules(); }
  const SymbolRules& symbols() const override { return freebsd_symbol_rules(); }
  const DumpRules* dumps() const override { return &freebsd_dump_rules(); }
  const UserlandRules* userland() const override { return &freebsd_userland_rules(); }
};

}  // namespace kdev::guest
