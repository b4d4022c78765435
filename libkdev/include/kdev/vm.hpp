#pragma once
#include <kdev/core.hpp>
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <kdev/debug_session.hpp>
#include <kdev/disk.hpp>
#include <kdev/event.hpp>
#include <kdev/host.hpp>
#include <kdev/kernel_artifact.hpp>
#include <kdev/kernel_debugger.hpp>
#include <kdev/recording.hpp>
#include <kdev/seed_image.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

class Workspace;
namespace vm {
class CrashSource;
class KernelEntry;
class KernelStub;
class DebuggerAtPrompt;
}  // namespace vm

enum class VmState { defined, booting, ready, crashed, hung, stopped };
KDEV_API std::string to_string(VmState state);

enum class Accel { automatic, kvm, tcg };
/// What an accelerator probe found. Cached per machine boot.
struct AccelProbe {
  Accel accel = Accel::tcg;
  std::string
      reason{};  ///< "a tiny guest ran under KVM", "/dev/kvm opens, but a tiny guest did not run within 5 s"
};
/// Runs a tiny guest under KVM with a deadline; falls back to TCG.
KDEV_API AccelProbe probe_accel(bool use_cache = true);

/// How the kernel gets into the guest.
enum class BootMethod {
  automatic,  ///< direct
  direct,     ///< vmlinux through its PVH note: fastest, no KASLR of the kernel text
  bzimage,    ///< the compressed image as firmware would load it: with KASLR where configured
  bios,       ///< a disk with a loader, by BIOS
  uefi        ///< a disk with a loader, by UEFI
};

struct VmTimeouts {
  Seconds boot{120};    ///< from start to ready
  Seconds command{60};  ///< default for run()
  Seconds crash{10};    ///< from the first line of a crash report to its end
  Seconds probe{5};     ///< how long a silent guest has to answer before it counts as hung
  Seconds close{5};     ///< for close(): quit, TERM and KILL share it
};

/// What becomes of a guest whose kernel has crashed for good.
enum class AfterCrash {
  pause,      ///< its CPUs stop: its memory stays as it is, at no cost
  leave,      ///< it goes on with whatever it does: waits in its debugger, spins
  dump,       ///< its debugger writes a kernel dump to its dump device, then the machine ends
  textdump,   ///< the same with a textdump
  unattended  ///< its debugger is not entered: it dumps and reboots by itself, which ends the machine
};

/// What kdev does when a guest's kernel crashes: asks its own debugger (ddb) at its prompt on the console,
/// then leaves it as `then` says. The answers are CrashReport::debugger, how a dump ended is
/// CrashReport::dump. A kernel without such a debugger, or a dump that fails, becomes one of the report's
/// notes, and the guest is paused. A value.
struct OnCrash {
  std::vector<std::string> ask{};  ///< "bt", "show pcpu", "ps", "alltrace", ...
  AfterCrash then = AfterCrash::pause;
  Seconds answer_timeout{30};  ///< for the prompt to appear, and for each answer
  Seconds dump_timeout{120};   ///< for a dump; `unattended`: from the panic to the reboot
  bool operator==(const OnCrash&) const = default;
};

/// What a VM is made of. A value.
struct VmSpec {
  std::string name{};       ///< empty: "vm" and a number
  KernelArtifact kernel{};  ///< none: the one on the image's disk
  SeedImage image = SeedImage::busybox();
  std::string memory = "512M";
  int cpus = 1;
  std::string cmdline{};  ///< appended to what kdev passes
  Accel accel = Accel::automatic;
  BootMethod boot = BootMethod::automatic;
  VmTimeouts timeouts{};
  std::vector<std::string> qemu_args{};  ///< appended as they are: an escape
  Path run_dir{};  ///< where VM folders and logs go; empty: run/ of the kernel's workspace, else a per-user
                   ///< folder
  std::vector<Disk> disks{};
  std::vector<ModuleArtifact> modules{};  ///< put into the image as /m/NAME.ko, and known to the symbolizer
  bool symbolize = true;                  ///< crash reports get file:line and source
  OnCrash on_crash{};
  bool debug_port = false;  ///< a second serial port, over which the kernel's gdb stub is reached
  /// Records all that comes into the machine, for recording(). TCG and one CPU; no disks, for now.
  bool record = false;
};

struct CommandOptions {
  std::string input{};  ///< standard input
  std::map<std::string, std::string> env{};
  std::string cwd{};  ///< in the guest; empty: "/"
  std::optional<Seconds>
      timeout{};       ///< then the command is killed and timed_out set; default: VmTimeouts::command
  bool check = false;  ///< non-zero exit, time-out or crash throw GuestError
  std::size_t output_limit = 256u << 20;  ///< bytes kept of each stream; more is counted, and `truncated` set
  std::stop_token stop{};
};

/// What a guest command did. A crash, a non-zero exit and a time-out are data.
struct KDEV_API CommandResult {
  std::string command{};
  std::string out{}, err{};
  std::optional<int> exit_code{};  ///< absent: it did not exit
  std::optional<int> signal{};     ///< that ended it
  bool timed_out = false;
  bool truncated = false;
  std::uint64_t out_bytes = 0, err_bytes = 0;  ///< produced, also when truncated
  Seconds duration{};                          ///< seen from the host
  Seconds guest_duration{};  ///< inside the guest, from the request's arrival to the exit's report
  std::string console{};     ///< what the console showed meanwhile
  std::shared_ptr<const CrashReport> crash{};  ///< null: none
  bool ok() const { return exit_code && *exit_code == 0 && !crash && !timed_out; }
  std::string to_json() const;
};

/// The debuggers that a guest's kernel can hand a stop to.
struct DebuggerBackends {
  std::vector<std::string> available{};  ///< "ddb", "gdb"
  std::string current{};
  bool operator==(const DebuggerBackends&) const = default;
};

/// Which gdb stub debugs a guest.
enum class DebugStub {
  automatic,  ///< the kernel's where VmSpec::debug_port is set, else the machine's
  machine,    ///< the hypervisor's: from the first instruction, whatever state the guest is in
  kernel      ///< the one in the kernel (kgdb, FreeBSD's gdb backend), over its second serial port
};

struct DebugOptions {
  DebugStub stub = DebugStub::automatic;
  /// Starts a VM that was not started, stopped before its first instruction, or for the kernel's own stub as
  /// early as that is there (Linux: kgdbwait, when the serial ports are); a start() later waits until it is
  /// ready.
  bool wait = false;
  Seconds timeout{60};  ///< to connect
  std::stop_token stop{};
};

class VM;

/// A guest command in progress. Move-only; must not outlive its VM. Destroying it kills the command. One
/// thread at a time.
class KDEV_API Job {
 public:
  Job(Job&&) noexcept;
  Job& operator=(Job&&) noexcept;
  ~Job();
  void write(std::string_view data);  ///< to its standard input
  void close_input();
  void signal(int signo);  ///< to its process group
  bool running();
  /// What came since the last call; does not block. It stays for wait()'s result as long as all of it is
  /// within CommandOptions::output_limit; beyond that only what was not read yet counts, so that a reader
  /// misses nothing.
  std::string read_out();
  std::string read_err();
  /// Blocks until there is output that was not read yet, or the command has ended. False: the time passed.
  bool wait_output(Seconds timeout, std::stop_token stop = {});
  /// Blocks until it ends; the deadline's expiry kills it and sets timed_out. The result is given out once.
  CommandResult wait(std::optional<Seconds> timeout = {}, std::stop_token stop = {});
  /// SIGKILL to its process group. wait() says how it ended.
  void kill();

 private:
  friend class VM;
  void end() noexcept;
  struct State;
  explicit Job(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

struct RebootOptions {
  /// Name of an installed kernel; empty: the one that install() put there last, else the usual one.
  std::string kernel{};
  /// For this boot alone: the reboot after it takes the usual one again. Otherwise, once it has come up, it
  /// is the usual one from then on.
  bool once = false;
  std::stop_token stop{};
};

/// What customize() works with.
struct CustomizeOptions {
  Path cache_dir{};  ///< where disks are kept; empty: of the kernel's workspace
  EventSink on_event{};
  std::stop_token stop{};
  Seconds timeout{600};
};

/// What reboot() came up with.
struct RebootResult {
  KernelArtifact kernel{};  ///< the one that runs now
  std::string name{};       ///< under which it is installed
  bool fell_back = false;   ///< the installed one did not come up; `kernel` is the known good one
  std::string reason{};     ///< why it fell back
  std::shared_ptr<const CrashReport> crash{};  ///< of the failed boot, if one was seen
  Seconds duration{};
};

/// A virtual machine. Move-only handle; every blocking call has a deadline. run() and spawn() may be called
/// from several threads at once, close() from any thread at any time; the other calls from one thread at a
/// time.
class KDEV_API VM {
 public:
  explicit VM(VmSpec spec, EventSink on_event = {});
  VM(VM&&) noexcept;
  VM& operator=(VM&&) noexcept;
  ~VM();  ///< close()

  const VmSpec& spec() const;
  const std::string& name() const;
  /// As things are now: a guest that panicked or ended by itself since the last call is `crashed` or
  /// `stopped`.
  VmState state() const;
  std::string state_reason() const;

  /// Boots and waits until the agent answers and the kernel's identity (build id) is checked. BootError with
  /// the console's tail and the crash, if the guest does not come up; HostError if QEMU cannot be run.
  void start(std::stop_token stop = {});
  /// Runs a shell command line ("/bin/sh -c" in the guest).
  CommandResult run(const std::string& command, const CommandOptions& options = {});
  /// The same without a shell.
  CommandResult run(const std::vector<std::string>& argv, const CommandOptions& options = {});
  Job spawn(const std::string& command, const CommandOptions& options = {});
  Job spawn(const std::vector<std::string>& argv, const CommandOptions& options = {});
  /// Host file or directory to a guest path, mode kept. Whole or not at all for each file.
  void push(const Path& source, const std::string& guest_path, std::stop_token stop = {});
  /// The other way. Below a directory a symbolic link becomes the file that it leads to; links to directories
  /// or to nothing, devices, pipes and sockets are left out, each with a Notice.
  void pull(const std::string& guest_path, const Path& destination, std::stop_token stop = {});
  std::string read_file(const std::string& guest_path);
  void write_file(const std::string& guest_path, std::string_view content, unsigned mode = 0644);

  /// What the running kernel says of itself: "release", "build_id", "boot_id", "machine"; FreeBSD's also
  /// "ident" (uname -i) and "bootfile" (kern.bootfile). Empty while no agent has answered.
  std::map<std::string, std::string> facts() const;
  /// Everything the console has shown since start(), as bytes.
  std::string console() const;
  Path console_log() const;
  /// Blocks until the console shows `pattern` (RE2) after byte `from`; returns the matching line.
  std::string wait_console(const std::string& pattern, Seconds timeout, std::size_t from = 0,
                           std::stop_token stop = {});
  /// Crashes seen since start(), in order, symbolized.
  std::vector<CrashReport> crashes();
  /// The first crash that no run() and no wait_crash() has returned yet; waits for it. Null when the time
  /// passes without one.
  std::shared_ptr<const CrashReport> wait_crash(Seconds timeout, std::stop_token stop = {});

  /// The guest's memory where it lies, with its kernel's and modules' symbols: nothing is dumped, nothing
  /// copied. Of a crashed guest, which is paused, it is a dump; of a running one it changes while it is read,
  /// and what was made of it once (lists, registers) stays as it was: take a new one for a new look. It is
  /// good for longer than the VM. GuestError: it was not started. DebugError, HostError, FormatError,
  /// TimeoutError. The machine stands still for the moment in which its CPUs' registers are read.
  Core core(std::stop_token stop = {});
  /// The same, and the machine goes on meanwhile: each CPU's registers are of a moment of their own, and what
  /// the guest left with the hypervisor for dumps (VMCOREINFO) is not there, but in the guest's memory.
  Core live_core(std::stop_token stop = {});

  /// Asks the debugger at whose prompt a crashed guest waits. A paused guest goes on for as long as that
  /// takes. The answer is incomplete when the prompt does not come back in time (after "continue", for one).
  /// GuestError: it has not crashed, or there is no prompt.
  DebuggerAnswer ask_debugger(const std::string& command, std::optional<Seconds> timeout = {},
                              std::stop_token stop = {});

  /// Brings a ready guest to the prompt of the debugger in its kernel, or takes a crashed one that waits
  /// there. Linux's gets the console meanwhile where it has no port. GuestError: there is no such debugger,
  /// or somebody debugs the kernel; ConfigError: it is not entered that way; TimeoutError.
  KernelDebugger kernel_debugger(const KernelDebuggerOptions& options = {});
  /// GuestError where the guest's kernel has none, or the guest lacks the program that asks it.
  DebuggerBackends debugger_backends(std::stop_token stop = {});
  void select_debugger(const std::string& backend, std::stop_token stop = {});
  /// What the kernel's own debugger does by itself when it is entered for a reason ("panic", "break",
  /// "sysctl", "trap", "witness", ...; "default": any other), before it waits at its prompt. No commands:
  /// nothing.
  void set_debugger_script(const std::string& reason, const std::vector<std::string>& commands,
                           std::stop_token stop = {});
  /// Stops the guest and connects a gdb to it. Over the machine's stub in any state but stopped: one whose
  /// CPUs stood still (it crashed) does so afterwards. Over the kernel's: a ready guest, or a crashed one at
  /// its debugger's prompt, which it goes back to at the end. While it lasts, no stop counts as a crash but a
  /// panic, and the guest is not paused for it. GuestError; ConfigError: the kernel's stub without
  /// VmSpec::debug_port.
  DebugSession debug(const DebugOptions& options = {});
  /// What VmSpec::record recorded, from start() to now or to the crash. A machine that still runs ends with
  /// it: the state is `stopped` afterwards. ConfigError without VmSpec::record; GuestError: there is none.
  Recording recording(std::stop_token stop = {});
  /// Has the running guest dump so when it crashes. ConfigError for what only an image can say; GuestError
  /// when the guest refuses.
  void apply(const DumpSettings& settings, std::stop_token stop = {});

  /// Installs a kernel, with its modules, beside those that are there: on the disk that the VM boots from
  /// (which a guest that is ready does), or for the next direct boot. `name`: letters, digits, ".-_"; an
  /// older one of this name is replaced, except the usual one, which has to be there when another does not
  /// come up: ConfigError. Empty: "dev", or "dev2" while that is the usual one. The VM's first kernel is
  /// "kernel". GuestError: the disk is full.
  void install(const KernelArtifact& kernel, const std::string& name = {}, std::stop_token stop = {});
  /// Stops the guest, boots a kernel, checks its build id. When it does not come up, the usual one is booted
  /// again, as nextboot(8) has it: what is tried is never what comes next by itself.
  RebootResult reboot(const RebootOptions& options = {});
  /// The installed ones, by name.
  std::map<std::string, KernelArtifact> kernels() const;
  /// Injects an NMI on every CPU.
  void nmi();
  /// Types on the console: for prompts that nothing else answers. Whoever reads there in the guest gets it.
  /// GuestError when it does not run.
  void write_console(const std::string& text);
  /// Powers the guest off cleanly, else hard. The state is `stopped` afterwards.
  void stop();
  /// Ends everything: quit, TERM, KILL, bounded by VmTimeouts::close. Idempotent, never throws. Keeps the
  /// logs. A start(), reboot() or stop() on another thread is stopped first: there it is a GuestError. Called
  /// by an event sink from inside one of them, it takes effect when that one leaves.
  void close() noexcept;

  /// QEMU's argument vector, for people and tests.
  std::vector<std::string> command_line() const;
  /// One QMP command as JSON text in, its "return" member as JSON text out. An escape.
  std::string qmp(const std::string& command, const std::string& arguments_json = "{}");
  /// The files of its disks on this host, in the guest's order: the one it boots from, then VmSpec::disks.
  /// Their content is whole when the guest does not run. GuestError before start().
  std::vector<Path> disks() const;
  int pid() const;         ///< QEMU's; -1: none
  Accel accel() const;     ///< the one in use after start()
  Path directory() const;  ///< this VM's folder below run_dir while it lives

 private:
  struct State;
  friend class Job;
  friend class vm::CrashSource;
  friend class vm::KernelEntry;
  friend class vm::KernelStub;
  friend class vm::DebuggerAtPrompt;
  void end() noexcept;
  static Job spawn_job(const std::shared_ptr<State>& state, const std::vector<std::string>& argv,
                       const CommandOptions& options, bool open_input);
  std::shared_ptr<State> state_;
};

/// A disk image with what was added to it and changed in it since: without root, by a guest that mounts it.
/// `kernel` and `userland` are that guest's (of the same system, newer or as new). With kdev's agent as a
/// service, when the image says that it has none. The original is not written to; the same again comes from
/// the cache. ConfigError when it is no disk, GuestError when it cannot be mounted.
KDEV_API SeedImage customize(const SeedImage& disk, const KernelArtifact& kernel,
                             const UserlandArtifact& userland, const CustomizeOptions& options = {});

}  // namespace kdev
