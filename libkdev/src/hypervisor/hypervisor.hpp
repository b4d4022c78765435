#pragma once
// The contract a hypervisor fills. It starts one machine from a BootPlan and gives back streams, events and
// controls; what runs inside is not its business. table.cpp lists the hypervisors.
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <kdev/vm.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "guest/boot_plan.hpp"
#include "host/lease.hpp"
#include "host/unique_fd.hpp"

namespace kdev::hypervisor {

/// A disk as a machine opens it.
struct MachineDisk {
  enum class Format { raw, qcow2 };
  Path file;
  Format format = Format::raw;
  std::string serial = {};
  bool read_only = false;
  bool keep = false;  ///< it outlives the machine: what the guest flushed shall survive the host's own crash
  bool operator==(const MachineDisk&) const = default;
};

/// A disk by its file's name: NAME.qcow2 is qcow2, every other is raw. Never by what is in it: a guest could
/// write such a header onto a raw one, naming files of the host.
MachineDisk disk_at(const Path& file);

/// What to start.
struct MachineSpec {
  std::string name;
  BootPlan plan;
  std::uint64_t memory = 0;  ///< bytes
  int cpus = 1;
  Accel accel = Accel::tcg;  ///< resolved: not `automatic`
  bool agent_port = true;
  std::vector<MachineDisk> disks{};  ///< in the guest's order; a plan that boots a disk boots the first
  bool debug_port = false;  ///< a second serial port, on debug_socket in `dir`: whoever connects first has it
  bool paused = false;  ///< its CPUs wait before the first instruction, until Machine::resume() or a debugger
  /// Records what comes into the machine, or replays it. One CPU under TCG, no disks, no debug port.
  enum class Tape { none, record, replay };
  Tape tape = Tape::none;
  Path tape_file = {};
  Path dir;  ///< the machine's own 0700 folder: sockets go here
  Path log;  ///< the hypervisor's own output
  std::vector<std::string> extra_args;
};

/// Of MachineSpec::debug_port.
inline constexpr const char* debug_socket = "debug.sock";
/// Of Machine::open_stub().
inline constexpr const char* stub_socket = "gdb.sock";

struct MachineEvent {
  enum class Kind {
    panicked,  ///< the guest's kernel said so through its panic device
    shutdown,  ///< the guest powered off, or reset where reboots end the machine; `reason` says which
    reset,
    paused,
    resumed,
    gone,  ///< the hypervisor's process ended or its control channel broke
  };
  Kind kind;
  std::string reason;
};

/// A part of a machine's memory.
struct MemoryRange {
  std::uint64_t physical = 0;  ///< address in the machine
  std::uint64_t size = 0;      ///< bytes
  std::uint64_t offset = 0;    ///< in MachineMemory::fd
  bool operator==(const MemoryRange&) const = default;
};

/// A machine's memory where it lies: changed by its CPUs while they run.
struct MachineMemory {
  int fd = -1;  ///< of a file, to be mapped; the machine's: valid as long as it
  std::vector<MemoryRange> ranges{};
};

/// Of one CPU, by the names of Linux's user_regs_struct ("rip", "fs_base"), and "cr0" to "cr4".
using CpuRegisters = std::map<std::string, std::uint64_t>;

/// A running machine. console() and agent() are connected, non-blocking streams that whoever drives the
/// machine reads. drain_events() is called by one thread, when event_fd() is readable; command() by any
/// thread at once.
class Machine {
 public:
  virtual ~Machine() = default;  ///< ends the process group
  virtual int console_fd() const = 0;
  virtual int agent_fd() const = 0;  ///< -1: none
  virtual int event_fd() const = 0;
  virtual std::vector<MachineEvent> drain_events() = 0;
  virtual int pid() const = 0;
  /// How it ended; waits at most `limit` for that. Nothing: it runs, or another thread is ending it.
  virtual std::optional<ExitStatus> wait_exit(Seconds limit) = 0;
  virtual void nmi(const Deadline& deadline) = 0;
  /// A break on the console's serial line, before what is written to it next.
  virtual void console_break(const Deadline& deadline) = 0;
  /// Has it look after its streams: bytes for a serial port may lie there until something else happens, once
  /// the guest has been slower to take them than they came. Any thread.
  virtual void wake(const Deadline& deadline) = 0;
  virtual void pause(const Deadline& deadline) = 0;
  virtual void resume(const Deadline& deadline) = 0;
  /// Its memory, also when the hypervisor's process has ended, if it was asked for before. DebugError: this
  /// hypervisor does not tell. Any thread.
  virtual MachineMemory memory(const Deadline& deadline) = 0;
  /// An ELF core file (its content) whose notes are of the CPUs: registers as they are now, and what the
  /// guest left with the hypervisor for dumps. The machine stands still meanwhile. DebugError, HostError: it
  /// is gone. Any thread.
  virtual std::string cpu_notes(const Deadline& deadline) = 0;
  /// The CPUs' registers while the machine goes on, each CPU's of a moment of its own. Empty: this hypervisor
  /// does not tell them for such CPUs. DebugError, HostError: it is gone. Any thread.
  virtual std::vector<CpuRegisters> registers(const Deadline& /*deadline*/) { return {}; }
  /// Listens for a debugger that speaks gdb's remote protocol, on stub_socket in MachineSpec::dir. The
  /// machine stops when one connects, and goes on when it detaches. DebugError, HostError. Any thread.
  virtual void open_stub(const Deadline& deadline) = 0;
  /// Listens no more; a debugger that is there loses its connection. What it left behind (breakpoints, a
  /// stopped machine) stays.
  virtual void close_stub(const Deadline& deadline) = 0;
  /// Instructions executed, of a machine with a tape that stands still. DebugError: it has none.
  virtual std::uint64_t position(const Deadline& deadline) = 0;
  /// A replay stands still where so many were executed, once it has been let go on. DebugError.
  virtual void replay_to(std::uint64_t position, const Deadline& deadline) = 0;
  /// Its CPUs stand still.
  virtual bool paused(const Deadline& deadline) = 0;
  /// The hypervisor's own control language, JSON in and out. DebugError with its answer when it refuses.
  virtual std::string command(const std::string& name, const std::string& arguments_json,
                              const Deadline& deadline) = 0;
  /// Asks the hypervisor to end the machine, and does not wait for that. For the thread that drains its
  /// events.
  virtual void quit() noexcept = 0;
  /// Quit, TERM, KILL within `limit`; afterwards no process of it is left. Never throws.
  virtual ExitStatus close(Seconds limit) noexcept = 0;
};

/// The stub of a machine of another process's: open as long as this lives. Afterwards the machine runs, or
/// stands still, as before.
class OpenedStub {
 public:
  virtual ~OpenedStub() = default;
  virtual bool was_paused() const = 0;
};

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  virtual std::string name() const = 0;  ///< as people write it
  virtual bool can_boot(BootPlan::Kind kind) const = 0;
  /// The argument vector, for people and golden tests; descriptors that start() passes appear as their
  /// numbers there.
  virtual std::vector<std::string> command_line(const MachineSpec& spec) const = 0;
  /// Program and version: only the same one replays a recording. HostError.
  virtual std::string version(const Deadline& deadline) const = 0;
  /// A new disk of `size` bytes that takes no space yet. HostError.
  virtual void make_disk(const MachineDisk& disk, std::uint64_t size, const Deadline& deadline) const = 0;
  /// A new disk `file`, in the hypervisor's own format, that holds what differs from `base` from now on.
  /// HostError.
  virtual MachineDisk make_overlay(const MachineDisk& base, const Path& file,
                                   const Deadline& deadline) const = 0;
  /// ConfigError when the disk is larger already; HostError.
  virtual void grow_disk(const MachineDisk& disk, std::uint64_t size, const Deadline& deadline) const = 0;
  /// A new file `raw` with the disk's bytes and holes where it has none. HostError.
  virtual void make_raw(const MachineDisk& disk, const Path& raw, const Deadline& deadline) const = 0;
  /// Whether the disk names other files of this host as parts of it: none that came from elsewhere may. Opens
  /// no other file. FormatError: it is not of its format.
  virtual bool refers_to_files(const MachineDisk& disk) const = 0;
  /// Machine::open_stub() of a machine that another process started, by its folder. HostError: there is no
  /// such machine.
  virtual std::unique_ptr<OpenedStub> open_stub_in(const Path& dir, const Deadline& deadline) const = 0;
  /// HostError when the program is missing, or ends at once (with its own message).
  virtual std::unique_ptr<Machine> start(const MachineSpec& spec, Lease& lease,
                                         const Deadline& deadline) const = 0;
};

/// By preference on this host.
const std::vector<const Hypervisor*>& all_hypervisors();

}  // namespace kdev::hypervisor
