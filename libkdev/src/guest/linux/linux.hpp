#pragma once
// The Linux guest: tree.cpp, conf.cpp, build.cpp, boot.cpp, console.cpp, core.cpp, symbols.cpp and
// scaffold.cpp in this folder each give one piece.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guest/fault_rules.hpp"
#include "guest/guest.hpp"

namespace kdev::guest {

// tree.cpp
/// The tree at `path` when it is one of Linux: Kbuild, init/main.c, arch/ and a Makefile that states VERSION.
std::optional<SourceTree> detect_linux(Host& host, const Path& path);
/// What in the source tree breaks an out-of-tree build ("outputmakefile" of the top Makefile refuses such
/// trees): the paths of .config, include/config and arch/SRCARCH/include/generated that an in-place build
/// left. Empty: clean.
std::vector<Path> linux_in_place_leftovers(Host& host, const Path& tree);

const ConfRules& linux_conf_rules();             // conf.cpp
const BuildRules& linux_build_rules();           // build.cpp
const ConsoleRules& linux_console_rules();       // console.cpp
const CoreRules& linux_core_rules();             // core.cpp
const DebuggerRules& linux_debugger_rules();     // debugger.cpp
const FaultRules& linux_fault_rules();           // fault.cpp
const GdbRules& linux_gdb_rules();               // gdb.cpp
const SymbolRules& linux_symbol_rules();         // symbols.cpp
const std::vector<Scaffold>& linux_scaffolds();  // scaffold.cpp

// boot.cpp
std::vector<BootPlan> linux_boot_plans(const BootRequest& request);
/// A kernel so configured dies before its first message when it is entered by its PVH note: what runs there
/// (xen_prepare_pvh in arch/x86/platform/pvh/enlighten.c) is instrumented like the rest, and writes to a
/// KASAN shadow that is not mapped yet. Through the compressed image's entry it boots.
bool linux_needs_boot_image(const std::map<std::string, std::string>& config);

class LinuxGuest final : public Guest {
 public:
  Os os() const override { return Os::linux; }
  std::optional<SourceTree> detect(Host& host, const Path& path) const override {
    return detect_linux(host, path);
  }
  TreeMarks marks(Host& host, const Path& path) const override;
  void check_tree(Host& host, const SourceTree& tree) const override;
  std::vector<BootPlan> boot_plans(const BootRequest& request) const override;
  const ConfRules* conf() const override;
  const BuildRules* build() const override;
  const ConsoleRules* console() const override;
  const CoreRules* core() const override;
  const SymbolRules& symbols() const override { return linux_symbol_rules(); }
  const GdbRules* gdb() const override { return &linux_gdb_rules(); }
  bool waits_for_debugger() const override { return true; }
  const DebuggerRules* debugger() const override { return &linux_debugger_rules(); }
  const std::vector<Scaffold>& scaffolds() const override { return linux_scaffolds(); }
};

}  // namespace kdev::guest
