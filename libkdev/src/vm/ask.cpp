// What the debugger in the guest's kernel is asked.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "guest/console_rules.hpp"
#include "guest/guest.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

void check_command(const guest::DebuggerRules& rules, const std::string& command,
                   const std::string& attempted) {
  const bool one_line = command.find_first_of("\r\n") == std::string::npos;
  if (!command.empty() && one_line && command.size() <= rules.longest_command()) return;
  throw ConfigError({.attempted = attempted,
                     .reason = fmt::format("\"{}\" is no command for {}", command, rules.name()),
                     .hint = fmt::format("one line, {} characters at most", rules.longest_command()),
                     .log = {}});
}

/// The CPUs run for as long as this lives, if they did not before.
class Awake {
 public:
  Awake(vm::Session& session, const Deadline& deadline)
      : session_(session), was_paused_(session.status().paused) {
    if (was_paused_) session.machine().resume(deadline);
  }
  ~Awake() {
    try {
      if (was_paused_) session_.machine().pause(Deadline::after(Seconds(2)));
    } catch (const std::exception&) {
      // It ended meanwhile.
    }
  }
  Awake(const Awake&) = delete;
  Awake& operator=(const Awake&) = delete;

 private:
  vm::Session& session_;
  const bool was_paused_;
};

}  // namespace

void vm::check_on_crash(const VmSpec& spec) {
  const OnCrash& policy = spec.on_crash;
  const std::string attempted = fmt::format("define VM '{}'", spec.name);
  const guest::DebuggerRules* rules = guest::guest_for(spec.kernel.os).debugger();
  const bool dump = policy.then == AfterCrash::dump || policy.then == AfterCrash::textdump;
  if (!rules && (!policy.ask.empty() || dump))
    throw ConfigError(
        {.attempted = attempted,
         .reason = fmt::format("kdev cannot talk with a debugger of {}", os_title(spec.kernel.os)),
         .hint = "leave OnCrash::ask empty, and let OnCrash::then be pause, leave or unattended",
         .log = {}});
  if (dump && rules->dump(policy.then == AfterCrash::textdump).empty())
    throw ConfigError({.attempted = attempted,
                       .reason = rules->name() + " writes no dumps",
                       .hint = "let OnCrash::then be pause or leave: VM::core() is the guest's memory",
                       .log = {}});
  if (policy.then == AfterCrash::unattended && !policy.ask.empty())
    throw ConfigError({.attempted = attempted,
                       .reason = "an unattended guest does not enter its debugger: there is nobody to ask",
                       .hint = "let OnCrash::then be dump",
                       .log = {}});
  for (const std::string& command : policy.ask) check_command(*rules, command, attempted);
}

void VM::State::read_traces(vm::Session& from, DebuggerAnswer& answer) {
  const guest::ConsoleRules* rules = guest::guest_for(from.scan.kernel.os).console();
  if (!rules) return;
  const auto reader = rules->reader();
  for (std::string_view rest = answer.text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    reader->read(line);
  }
  CrashReport report;
  reader->finish(report);
  if (spec.symbolize && !report.traces.empty()) {
    report.text = answer.text;
    try {
      symbols(from)->symbolize(report);
    } catch (const Error&) {
      // The crash's own report says why.
    }
  }
  answer.traces = std::move(report.traces);
}

DebuggerAnswer VM::State::ask(const std::shared_ptr<vm::Session>& running, const guest::DebuggerRules& rules,
                              const std::string& command, Seconds limit, const std::stop_token& stop,
                              const std::string& attempted) {
  check_command(rules, command, attempted);
  auto refuse = [&](const std::string& why, const std::string& hint = "") {
    return GuestError({.attempted = attempted, .reason = why, .hint = hint, .log = console->file()});
  };
  const Deadline deadline = Deadline::after(limit, stop);
  const Awake awake(*running, deadline);
  std::vector<vm::DebuggerLine> lines;
  for (std::string& prepare : rules.prepare()) lines.push_back({std::move(prepare), limit, false});
  lines.push_back({command, limit});
  const auto talk = running->talk(std::move(lines), limit);
  if (!talk) throw refuse("somebody else talks with it");
  struct HangUp {
    vm::Session& session;
    const std::shared_ptr<vm::DebuggerTalk>& talk;
    ~HangUp() { session.hang_up(talk); }
  };
  DebuggerAnswer answer;
  std::string failure;
  {
    const HangUp hang_up{*running, talk};
    // Each line has its own limit: the talk is over by then.
    running->wait(Deadline::after(limit * 4.0, stop), attempted,
                  [&] { return talk->over() || running->status_locked().gone; });
    running->locked([&] {
      failure = talk->failure();
      if (!talk->answers().empty() && talk->answers().size() == talk->lines().size())
        answer = talk->answers().back();
    });
  }
  if (answer.command.empty())
    throw refuse(failure.empty() ? vm::ended() : failure,
                 fmt::format("its kernel needs {} in its configuration, and must have stopped at its prompt",
                             rules.name()));
  std::unique_lock scan(scanning, std::defer_lock);
  while (!scan.try_lock_for(std::chrono::milliseconds(100))) deadline.check_interrupt(attempted);
  read_traces(*running, answer);
  return answer;
}

DebuggerAnswer VM::ask_debugger(const std::string& command, std::optional<Seconds> timeout,
                                std::stop_token stop) {
  State& s = *state_;
  const std::string attempted = fmt::format("ask the debugger of VM '{}' \"{}\"", s.spec.name, command);
  auto refuse = [&](const std::string& why, const std::string& hint = "") {
    return GuestError({.attempted = attempted, .reason = why, .hint = hint, .log = console_log()});
  };
  std::shared_ptr<vm::Session> running;
  KernelArtifact kernel;
  {
    std::lock_guard lock(s.mutex);
    running = s.session;
    kernel = s.kernel;
  }
  if (!running) throw refuse("it does not run");
  const guest::DebuggerRules* rules = guest::guest_for(kernel.os).debugger();
  if (!rules) throw refuse(fmt::format("kdev cannot talk with a debugger of {}", os_title(kernel.os)));
  check_command(*rules, command, attempted);
  const auto [now, why] = s.seen_state();
  if (now != VmState::crashed && now != VmState::hung)
    throw refuse("it is " + to_string(now), "kernel_debugger() brings a running kernel to its prompt");
  s.collect_crashes(running, s.crash_deadline(stop));
  if (running->status().gone) throw refuse(vm::ended());
  return s.ask(running, *rules, command, timeout.value_or(s.spec.on_crash.answer_timeout), stop, attempted);
}

}  // namespace kdev
