#pragma once
// What a VM handle holds. One file of src/vm/ a concern: boot.cpp (start, stop, close), kernels.cpp (install,
// reboot), job.cpp (run, spawn), transfer.cpp (push, pull), crashes.cpp (console -> reports), ask.cpp (the
// guest's own debugger), kernel_debugger.cpp (its prompt),
// kernel_entry.cpp (ways into it), debug.cpp (gdb), kernel_stub.cpp and machine_stub.cpp (what answers it),
// backends.cpp (which debuggers there are), core.cpp (memory), crash_origin.cpp (bundles), vm.cpp (the rest
// of the handle).
#include <atomic>
#include <deque>
#include <kdev/bundle.hpp>
#include <kdev/error.hpp>
#include <kdev/vm.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "guest/guest.hpp"
#include "host/lease.hpp"
#include "vm/run_dir.hpp"
#include "vm/session.hpp"
#include "vm/turns.hpp"

namespace kdev {
namespace vm {

/// "QEMU ended"
inline std::string ended() {
  return hypervisor::all_hypervisors().front()->name() + " ended";
}
/// ConfigError when OnCrash asks for what the guest cannot do. ask.cpp
void check_on_crash(const VmSpec& spec);
inline constexpr const char* channel_broke = "the agent's channel broke";

}  // namespace vm

struct VM::State : std::enable_shared_from_this<VM::State> {
  VmSpec spec;
  std::shared_ptr<vm::EventQueue> events;

  mutable std::mutex mutex;  ///< guards what follows, up to the blank line; never held while waiting
  VmState state = VmState::defined;
  std::string reason;
  std::shared_ptr<vm::Session> session;
  std::shared_ptr<vm::ConsoleLog> console;
  KernelArtifact kernel;  ///< the one that runs, or will at start()
  /// Kernels by the names under which they are installed.
  std::map<std::string, KernelArtifact> kernels;
  std::string running, usual;  ///< of those: the one that runs; the one that boots when none is asked for
  std::string installed;       ///< for the next reboot(); empty: none
  std::deque<GuestCommand> history;  ///< the last commands
  std::size_t commands = 0;          ///< that there were: the number of the one after the history's last
  std::vector<std::string> argv;     ///< of the machine that runs, or ran last
  std::vector<CrashReport> crashes;  ///< of the episodes scanned so far; Session::Scan::episodes goes with it
  std::set<std::size_t> crashes_returned;  ///< by run() or wait_crash(): places in `crashes`

  std::timed_mutex
      scanning;     ///< held while a session's episodes become reports; guards Session::scan. Before `mutex`
  vm::Turns turns;  ///< of start(), reboot(), stop() and close(), which guard what follows

  std::optional<vm::RunDir> dir;
  bool boots_disk() const {
    return spec.image.is_disk() || spec.boot == BootMethod::bios || spec.boot == BootMethod::uefi;
  }
  bool next_is_armed =
      false;       ///< the disk's loader was told to try a kernel, and no boot has come back since
  Path boot_disk;  ///< what the machine's first disk began as, when it boots one
  std::vector<hypervisor::MachineDisk> disks;
  Accel accel = Accel::tcg;
  /// Where the boot that begins waits for a debugger: nowhere, before its first instruction, in the kernel's
  /// own debugger.
  enum class Hold { no, in_machine, in_kernel };
  Hold hold = Hold::no;
  std::optional<std::size_t> held;  ///< one does: where its console begins

  void set_state(VmState to, const std::string& why);
  /// The session of a VM in a state that can take commands; GuestError that says why not.
  std::shared_ptr<vm::Session> ready_session(const std::string& attempted);
  /// What `state` and `reason` are, with what the running session knows by now.
  std::pair<VmState, std::string> seen_state();
  /// The boot that goes on, or null.
  std::shared_ptr<vm::Session> current() {
    std::lock_guard lock(mutex);
    return session;
  }

  // boot.cpp
  void start(const std::string& attempted, const std::stop_token& stop);
  void stop_machine(const Deadline& deadline);
  // machine_spec.cpp
  hypervisor::MachineSpec machine_spec(const Deadline& deadline);
  hypervisor::MachineSpec complete(hypervisor::MachineSpec machine, const Path& first_disk,
                                   const Deadline& deadline);
  BootPlan disk_plan(const std::string& attempted) const;
  [[noreturn]] void no_way(const std::string& attempted) const;
  Path root_file(const guest::Guest& guest, const Deadline& deadline);
  // boot.cpp
  void boot(const Deadline& deadline);
  void end_session(Seconds limit) noexcept;
  /// close() without its events.
  void shut() noexcept;
  /// `f` with a stop token that is also requested when close() is called.
  template <class F>
  void in_turn(const std::string& attempted, const std::stop_token& stop, F f);
  [[noreturn]] void fail_boot(const std::string& reason, const std::string& hint, std::size_t console_begin);
  /// Waits for the agent and sees which kernel it is.
  void come_up(const std::shared_ptr<vm::Session>& session, std::size_t console_begin,
               const Deadline& deadline);
  void wait_ready(vm::Session& session, std::size_t console_begin, const Deadline& deadline);
  void check_identity(vm::Session& session);

  // ask.cpp
  /// One command at the prompt of the debugger in the kernel. A machine that stands still goes on meanwhile.
  DebuggerAnswer ask(const std::shared_ptr<vm::Session>& session, const guest::DebuggerRules& rules,
                     const std::string& command, Seconds limit, const std::stop_token& stop,
                     const std::string& attempted);

  // core.cpp
  /// Asks where the guest's memory lies, so that it can be read when the machine has ended.
  void know_memory(vm::Session& session, const Deadline& deadline);
  /// `live`: the machine goes on.
  Core core(const std::shared_ptr<vm::Session>& boot, const Deadline& deadline, bool live = false);
  Core open_memory(bool live, std::stop_token stop);

  // recording.cpp
  hypervisor::MachineSpec taped;              ///< of the boot that is recorded
  std::shared_ptr<const Recording> recorded;  ///< the last one; guarded by `mutex`
  std::weak_ptr<vm::Session> recorded_of;     ///< whose it is; guarded by `mutex`
  /// ConfigError when VmSpec::record asks for what cannot be.
  void check_recordable(const std::string& attempted) const;
  /// Stops the machine where its recording ends: after how many instructions; nothing: there is none.
  std::optional<std::uint64_t> stop_tape(vm::Session& ending) noexcept;
  /// Once the machine has ended, and its tape is whole.
  void keep_recording(const std::shared_ptr<vm::Session>& of, std::uint64_t instructions) noexcept;
  Recording take_recording(const std::stop_token& stop);
  /// For a crash of this boot's that is saved.
  RecordedRun recorded_run(const std::weak_ptr<vm::Session>& boot, const std::stop_token& stop);

  // crash_origin.cpp
  std::shared_ptr<const CrashOrigin> origin_of_crashes(const std::shared_ptr<vm::Session>& boot);
  void describe(CrashRecord& record);

  // debug.cpp
  std::unique_ptr<debug::Target> debug_target(const std::string& attempted);
  DebugSession debug_kernel(const std::string& attempted, const Deadline& deadline);
  DebugSession debug_machine(const std::string& attempted, bool fresh, const Deadline& deadline);

  // running_vm.cpp
  /// Writes into the VM's folder what other processes need to know to debug it.
  void describe_running() const;

  // kernels.cpp
  RebootResult reboot(VM& vm, const std::string& attempted, const RebootOptions& options,
                      const std::stop_token& stop);
  /// Boots the one of this name, and checks that it is the one.
  void boot_kernel(const std::string& name, const Deadline& deadline);
  std::string find_kernel(const std::string& attempted, const std::string& name) const;

  // crashes.cpp
  /// How long a report may take to be complete, and what OnCrash asks for to be done.
  Deadline crash_deadline(std::stop_token stop = {}) const;
  /// Waits for an open crash report to be complete, then scans what is new. Returns the number of reports
  /// known.
  std::size_t collect_crashes(const std::shared_ptr<vm::Session>& session, const Deadline& deadline);
  /// Fills in an answer's traces. `scanning` is held by the caller.
  void read_traces(vm::Session& session, DebuggerAnswer& answer);
  /// The machine is dead or hung after a crash: state, and its CPUs stopped, for whoever looks at it next.
  void mark_dead(const std::shared_ptr<vm::Session>& session, VmState to, const std::string& why);
  /// A guest that does not answer: NMI, so that it says where it is. Reports what came of it.
  void provoke_report(const std::shared_ptr<vm::Session>& session);
  /// Made when first needed. `scanning` is held by the caller.
  std::shared_ptr<Symbolizer> symbols(vm::Session& session);
};

template <class F>
void VM::State::in_turn(const std::string& attempted, const std::stop_token& stop, F f) {
  const GuestError closed(
      {.attempted = attempted, .reason = "it was closed meanwhile", .hint = "", .log = {}});
  if (!turns.begin())
    throw GuestError({.attempted = attempted,
                      .reason = "another thread is starting, stopping or closing it",
                      .hint = "",
                      .log = {}});
  const std::stop_token closing = turns.closing();
  struct End {
    State& state;
    ~End() {
      if (state.turns.end()) state.shut();
    }
  } end{*this};
  try {
    const vm::EitherStop either(stop, closing);
    f(either.token());
  } catch (const Interrupted&) {
    if (closing.stop_requested()) throw closed;
    throw;
  }
  if (closing.stop_requested()) throw closed;
}

}  // namespace kdev
