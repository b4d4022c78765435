#pragma once
// What a DebugSession debugs: files, a stub or a core file, and what only whoever runs the kernel can do.
#include <functional>
#include <kdev/debug_session.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/path.hpp>
#include <memory>

#include "debug/gdb.hpp"
#include "guest/gdb_rules.hpp"
#include "guest/symbol_rules.hpp"
#include "host/unique_fd.hpp"

namespace kdev::debug {

/// What goes back in time: a machine that can be started anew and replays the same run.
class TimeTravel {
 public:
  virtual ~TimeTravel() = default;
  /// Instructions executed so far.
  virtual std::uint64_t position(const Deadline& deadline) = 0;
  /// Where the recording ends.
  virtual std::uint64_t end_position() const = 0;
  /// A new machine stands at its first instruction in place of the one that is; nobody listens for a
  /// debugger.
  virtual void rewind(const Deadline& deadline) = 0;
  /// Forward to there.
  virtual void play_to(std::uint64_t position, const Deadline& deadline) = 0;
  /// From now on the machine stands still there at the latest, whoever lets it run.
  virtual void stop_at(std::uint64_t position, const Deadline& deadline) = 0;
  virtual void open_stub(const Deadline& deadline) = 0;
  virtual void close_stub(const Deadline& deadline) = 0;
  /// To the stub.
  virtual UniqueFd connect() = 0;
};

struct Target {
  std::string name;           ///< for messages: "VM 'vm0'"
  Path symbols;               ///< the kernel's file with debug information
  Path source;                ///< the tree, where it is now
  std::vector<Path> modules;  ///< files of modules, found by the names that the kernel has them under
  const guest::GdbRules* gdb = nullptr;
  const guest::SymbolRules* names = nullptr;
  GdbOptions options;
  /// As "target remote" takes it; a path is relative to GdbOptions::cwd. Empty: `core`.
  std::string stub;
  int baud = 0;                      ///< of a serial device; 0: it is none
  std::vector<std::string> core;     ///< commands that open a core file, symbols and all
  std::uint64_t core_slide = 0;      ///< of the kernel in it
  std::shared_ptr<const void> keep;  ///< until gdb has ended: a folder for its files
  /// The machine waits before its first instruction: there is no kernel in its memory yet.
  bool fresh_machine = false;
  bool may_move = false;  ///< ... and it will find a place for itself (KASLR)
  /// The boot goes on to write-protect the kernel's code: what software breakpoints are in it by then stays
  /// there (kgdb_arch_remove_breakpoint() of Linux). All are hardware's, and no module is followed.
  bool booting = false;
  /// Where the kernel runs, when its memory cannot be read through the stub as it is now. Null: nobody else
  /// knows.
  std::function<std::optional<std::uint64_t>()> slide;
  /// Makes the stub stop the kernel, where it cannot do so when gdb asks. Null: it can.
  std::function<void(const Deadline&)> interrupt;
  /// Asks the debugger that is in the kernel beside the stub, while no gdb is there. Null: nobody can.
  std::function<DebuggerAnswer(const std::string& command, const Deadline&)> ask;
  /// Asked at the end: the kernel has crashed, and is not to go on where it stopped.
  std::function<bool()> crashed;
  /// Called then, and when gdb has ended in between: the stub waits, and nobody talks to it. `running`: the
  /// kernel ran when gdb ended.
  std::function<void(bool running)> abandoned;
  /// Of a replay; null: it knows no way back.
  std::shared_ptr<TimeTravel> travel;
  /// Last of all, however it came to that. Does not throw.
  std::function<void()> closed;

  bool is_core() const { return stub.empty(); }
};

/// For a kernel of this system, with a folder of its own for gdb's files.
std::unique_ptr<Target> make_target(Os os);

/// Files of the kernel's own modules, then `given`: of two with one name the last one counts.
std::vector<Path> module_files(const KernelArtifact& kernel, const std::vector<Path>& given);

}  // namespace kdev::debug
