#pragma once
// One boot of a machine: the machine, the thread that drains its streams, and what came over them.
#include <condition_variable>
#include <deque>
#include <kdev/crash.hpp>
#include <kdev/event.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "hypervisor/hypervisor.hpp"
#include "vm/agent_channel.hpp"
#include "vm/console_log.hpp"
#include "vm/console_wire.hpp"
#include "vm/crash_response.hpp"
#include "vm/crash_watch.hpp"
#include "vm/debugger_keyboard.hpp"
#include "vm/event_queue.hpp"

namespace kdev::vm {

class Session {
 public:
  Session(std::string vm, std::unique_ptr<hypervisor::Machine> machine, std::shared_ptr<ConsoleLog> console,
          const guest::ConsoleRules* rules, Seconds crash_limit, std::shared_ptr<EventQueue> events,
          const guest::DebuggerRules* debugger = nullptr, OnCrash on_crash = {}, Path debug_port_dir = {});
  ~Session();  ///< close()

  hypervisor::Machine& machine() { return *machine_; }
  AgentChannel& agent() { return agent_; }

  /// What has happened, all under one lock.
  struct Status {
    bool gone = false;  ///< the hypervisor's process ended, or its streams broke
    std::string gone_reason;
    std::optional<std::string> shutdown;  ///< the guest powered off or reset itself: why
    bool panicked = false;                ///< a fatal crash began; its report may not be complete
    bool crash_open = false;  ///< a crash report is being printed, or OnCrash is being carried out
    bool paused = false;      ///< its CPUs are stopped
    std::size_t stops = 0;    ///< for the kernel's debugger, as far as the console said so
    std::string backend;      ///< that the last stop went to, as far as the console said so; empty: it did not
    bool debugged = false;    ///< somebody debugs the kernel: entering its debugger is no crash
    std::vector<CrashEpisode> episodes;
  };
  Status status() const;

  /// Blocks until `done()` (called under the lock that every change is made under) is true; it is not called
  /// again after that, so it may take what it waited for. Delivers events while waiting. TimeoutError,
  /// Interrupted.
  template <class Done>
  void wait(const Deadline& deadline, std::string_view what, Done done) {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        bool over = done();
        if (!over) {
          changed_.wait_for(lock, std::chrono::milliseconds(std::max(1, deadline.slice_ms())));
          over = done();
        }
        if (over) break;
      }
      events_->deliver();
      deadline.check(what);
    }
    events_->deliver();
  }
  /// `f` under that lock.
  template <class F>
  void locked(F f) {
    std::lock_guard lock(mutex_);
    f();
  }
  /// For use inside wait()'s predicate.
  const Status& status_locked() const { return status_; }

  /// The console's last line, when nothing has come after it for a while; empty: there is none, or it may
  /// still grow. For use inside wait()'s predicate.
  std::string quiet_line_locked() const;

  /// Begins a talk with the guest's debugger, once what OnCrash wants of it is over; wait for its end with
  /// wait(). Null: another one goes on, or the guest has no debugger.
  std::shared_ptr<DebuggerTalk> talk(std::vector<DebuggerLine> lines, Seconds prompt_limit);
  /// Ends it where it is.
  void hang_up(const std::shared_ptr<DebuggerTalk>& talk);
  void set_debugged(bool debugged);
  /// Until the console says which one a stop goes to.
  void forget_backend();
  /// The console's last line says that the debugger waits for a command.
  bool at_prompt() const;
  /// Nobody types at the debug port any more: gdb may have it.
  void release_debug_port();
  /// For the console, after what is being typed already.
  void type(std::string_view text);

  /// What collect_crashes() has made of this boot so far; guarded as VM::State says.
  struct Scan {
    KernelArtifact kernel;
    std::size_t episodes = 0;  ///< scanned
    std::size_t to = 0;        ///< console text before this belongs to an earlier boot or crash
    std::shared_ptr<Symbolizer> symbolizer;
  };
  Scan scan;

  /// Ends the machine and the thread; idempotent, never throws. One thread at a time.
  ExitStatus close(Seconds limit) noexcept;
  /// How the hypervisor's process ended, if it did.
  std::optional<ExitStatus> exit_status() const;

 private:
  void loop();
  bool drain_console();
  bool drain_agent();
  void drain_events();
  void show_locked(std::string_view text, Clock::time_point now);
  void settle(bool ended);
  void report(CrashEpisode episode);
  bool at_prompt_locked() const;
  void type_at_debugger(const std::string& keys);
  void wake();

  std::string vm_;
  std::unique_ptr<hypervisor::Machine> machine_;
  std::shared_ptr<ConsoleLog> console_;
  std::shared_ptr<EventQueue> events_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Status status_;
  CrashWatch watch_;
  const guest::DebuggerRules* debugger_;
  CrashResponse response_;
  std::vector<CrashEpisode> behind_;  // complete, but an earlier one's response is not over
  std::shared_ptr<DebuggerTalk> talk_;
  std::string typing_;
  DebuggerKeyboard keyboard_;
  std::optional<ExitStatus> exit_;
  UniqueFd wake_;
  AgentChannel agent_;
  ConsoleWire wire_;           // of a guest without the agent's port
  bool over_console_ = false;  // the channel goes there
  std::atomic<bool> stopping_{false};
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace kdev::vm
