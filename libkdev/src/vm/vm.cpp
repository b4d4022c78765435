#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <atomic>
#include <kdev/error.hpp>
#include <kdev/vm.hpp>

#include "guest/dump_rules.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

constexpr Seconds prompt_quiet{0.2};
/// Where loaders look for the kernel that nobody chose.
constexpr const char* first_kernel = "kernel";

}  // namespace

std::string to_string(VmState state) {
  switch (state) {
    case VmState::defined:
      return "defined";
    case VmState::booting:
      return "booting";
    case VmState::ready:
      return "ready";
    case VmState::crashed:
      return "crashed";
    case VmState::hung:
      return "hung";
    case VmState::stopped:
      return "stopped";
  }
  return "?";
}

void VM::State::set_state(VmState to, const std::string& why) {
  VmState from;
  {
    std::lock_guard lock(mutex);
    if (state == to) return;
    from = state;
    state = to;
    reason = why;
  }
  events->push(VmStateChanged{spec.name, to_string(from), to_string(to), why});
}

std::pair<VmState, std::string> VM::State::seen_state() {
  std::shared_ptr<vm::Session> running;
  std::pair<VmState, std::string> seen;
  {
    std::lock_guard lock(mutex);
    running = session;
    seen = {state, reason};
  }
  if (!running || (seen.first != VmState::ready && seen.first != VmState::booting)) return seen;
  running->locked([&] {
    const vm::Session::Status& status = running->status_locked();
    if (status.panicked)
      seen = {VmState::crashed, "the kernel panicked"};
    else if (status.gone)
      seen = {VmState::stopped, vm::ended()};
    else if (running->agent().broken_locked())
      seen = {VmState::hung, vm::channel_broke};
  });
  return seen;
}

std::shared_ptr<vm::Session> VM::State::ready_session(const std::string& attempted) {
  const std::shared_ptr<vm::Session> running = current();
  auto [now, why] = seen_state();
  if (now == VmState::ready && running) return running;
  if (now == VmState::crashed && running) {
    collect_crashes(running, crash_deadline());
    std::lock_guard lock(mutex);
    if (!crashes.empty()) why = crashes.back().title;
  }
  if (running && (now == VmState::crashed || now == VmState::hung || now == VmState::stopped))
    mark_dead(running, now, why);
  std::string text = "the VM is " + to_string(now) + (why.empty() ? "" : ": " + why);
  if (now == VmState::booting && !spec.image.has_agent()) text = "the image has no agent";
  throw GuestError({.attempted = attempted,
                    .reason = text,
                    .hint = now == VmState::defined                           ? "call start() first"
                            : now == VmState::crashed || now == VmState::hung ? "reboot() it, or use a new VM"
                                                                              : "",
                    .log = console ? console->file() : Path()});
}

VM::VM(VmSpec spec, EventSink on_event) : state_(std::make_shared<State>()) {
  static std::atomic<unsigned> counter{0};
  if (spec.name.empty()) spec.name = fmt::format("vm{}", counter++);
  // The name becomes part of paths, a QEMU option and the guest's host name.
  static const RE2 good_name("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");
  if (!RE2::FullMatch(spec.name, good_name))
    throw ConfigError({.attempted = "define a VM",
                       .reason = fmt::format("\"{}\" is no name for one", spec.name),
                       .hint = "letters, digits, '-', '_' and '.', 63 at most",
                       .log = {}});
  vm::check_on_crash(spec);
  for (const ModuleArtifact& module : spec.modules) spec.image = spec.image.add_module(module);
  if (spec.image.is_disk() && spec.kernel.image.empty()) spec.kernel.os = spec.image.os();
  state_->kernel = spec.kernel;
  state_->running = state_->usual = first_kernel;
  state_->kernels[first_kernel] = spec.kernel;
  state_->spec = std::move(spec);
  state_->events = std::make_shared<vm::EventQueue>(std::move(on_event));
}

VM::VM(VM&&) noexcept = default;
VM& VM::operator=(VM&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}
VM::~VM() {
  end();
}

const VmSpec& VM::spec() const {
  return state_->spec;
}
const std::string& VM::name() const {
  return state_->spec.name;
}

VmState VM::state() const {
  return state_->seen_state().first;
}
std::string VM::state_reason() const {
  return state_->seen_state().second;
}

std::string VM::console() const {
  return state_->console ? state_->console->read(0) : std::string();
}
Path VM::console_log() const {
  return state_->console ? state_->console->file() : Path();
}

std::string VM::wait_console(const std::string& pattern, Seconds timeout, std::size_t from,
                             std::stop_token stop) {
  State& s = *state_;
  const RE2 regex(pattern, RE2::Quiet);
  const std::string attempted = fmt::format("wait for /{}/ on the console of VM '{}'", pattern, s.spec.name);
  if (!regex.ok())
    throw ConfigError(
        {.attempted = attempted, .reason = regex.error(), .hint = "the syntax is RE2's", .log = {}});
  const std::shared_ptr<vm::Session> running = s.current();
  if (!running)
    throw GuestError({.attempted = attempted, .reason = "it does not run", .hint = "", .log = console_log()});
  const Deadline deadline = Deadline::after(timeout, stop);
  for (std::size_t line_begin = from;;) {
    const std::size_t seen = s.console->size();
    const bool over = running->status().gone;
    const std::string text = s.console->read(line_begin, seen);
    std::size_t begin = 0;
    std::string unfinished;
    for (std::size_t end; begin < text.size(); begin = end + 1) {
      end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      const bool found = RE2::PartialMatch(line, regex);
      if (found && end < text.size()) return line;
      if (end == text.size()) {  // not whole yet: looked at again
        if (found) unfinished = line;
        break;
      }
    }
    line_begin += begin;
    if (!unfinished.empty()) {
      // A prompt never gets its line end; any other line gets it at once.
      if (over) return unfinished;
      try {
        running->wait(Deadline::after(prompt_quiet, stop), attempted,
                      [&] { return s.console->size() > seen || running->status_locked().gone; });
      } catch (const TimeoutError&) {
        return unfinished;
      }
      continue;
    }
    if (over)
      throw GuestError(
          {.attempted = attempted, .reason = vm::ended() + " without it", .hint = "", .log = console_log()});
    running->wait(deadline, attempted,
                  [&] { return s.console->size() > seen || running->status_locked().gone; });
  }
}

std::vector<CrashReport> VM::crashes() {
  const std::shared_ptr<vm::Session> running = state_->current();
  if (running) state_->collect_crashes(running, state_->crash_deadline());
  std::lock_guard lock(state_->mutex);
  return state_->crashes;
}

std::shared_ptr<const CrashReport> VM::wait_crash(Seconds timeout, std::stop_token stop) {
  State& s = *state_;
  const Deadline deadline = Deadline::after(timeout, stop);
  for (;;) {
    std::shared_ptr<vm::Session> running;
    std::size_t scanned;
    {
      std::lock_guard lock(s.mutex);
      for (std::size_t i = 0; i < s.crashes.size(); ++i)
        if (s.crashes_returned.insert(i).second) return std::make_shared<CrashReport>(s.crashes[i]);
      running = s.session;
      scanned = running ? running->scan.episodes : 0;
    }
    if (!running) return nullptr;
    bool gone = false;
    try {
      running->wait(deadline, "wait for a crash", [&] {
        const auto& status = running->status_locked();
        gone = status.gone;
        return status.episodes.size() > scanned || gone;
      });
    } catch (const TimeoutError&) {
      return nullptr;
    }
    const std::size_t known = s.collect_crashes(running, deadline);
    const vm::Session::Status status = running->status();
    if (status.panicked)
      s.mark_dead(running, VmState::crashed, known ? crashes().back().title : "the kernel panicked");
    std::lock_guard lock(s.mutex);
    if (gone && s.crashes.size() == s.crashes_returned.size()) return nullptr;
  }
}

void VM::apply(const DumpSettings& settings, std::stop_token stop) {
  const std::string attempted = fmt::format("apply dump settings to VM '{}'", state_->spec.name);
  const guest::DumpRules* rules = guest::guest_for(state_->kernel.os).dumps();
  if (!rules)
    throw ConfigError({.attempted = attempted,
                       .reason = "kdev does not know how this guest is told to dump",
                       .hint = "",
                       .log = {}});
  for (const std::vector<std::string>& argv : rules->commands(settings)) {
    const CommandResult done = run(argv, {.stop = stop});
    // A kernel that checks itself may print a report meanwhile: that is no failure of the command.
    if (done.exit_code != 0)
      throw GuestError({.attempted = attempted,
                        .reason = fmt::format("{}: {}", fmt::join(argv, " "), done.err),
                        .hint = "",
                        .log = {}});
  }
}

void VM::nmi() {
  const std::shared_ptr<vm::Session> running = state_->current();
  if (!running)
    throw GuestError({.attempted = "inject an NMI", .reason = "the VM does not run", .hint = "", .log = {}});
  if (state_->spec.record)
    throw ConfigError(
        {.attempted = "inject an NMI",
         .reason = "the VM is recorded, and no recording has an NMI: its replay would stand still there",
         .hint = "",
         .log = {}});
  running->machine().nmi(Deadline::after(state_->spec.timeouts.probe));
}

void VM::write_console(const std::string& text) {
  const std::shared_ptr<vm::Session> running = state_->current();
  if (!running)
    throw GuestError(
        {.attempted = "type on the console", .reason = "the VM does not run", .hint = "", .log = {}});
  running->type(text);
}

std::vector<std::string> VM::command_line() const {
  std::lock_guard lock(state_->mutex);
  if (state_->argv.empty())
    throw GuestError(
        {.attempted = "tell the command line", .reason = "the VM was not started", .hint = "", .log = {}});
  return state_->argv;
}

std::map<std::string, std::string> VM::facts() const {
  const std::shared_ptr<vm::Session> running = state_->current();
  std::map<std::string, std::string> facts;
  if (running)
    running->locked([&] {
      if (const auto& hello = running->agent().hello_locked()) facts = hello->facts;
    });
  // Of the channel, not of the kernel; and older with every second.
  for (const char* name : {"pid", "window", "uptime_ns"}) facts.erase(name);
  return facts;
}

std::vector<Path> VM::disks() const {
  if (!state_->dir)
    throw GuestError(
        {.attempted = "name the disks of a VM", .reason = "it was not started", .hint = "", .log = {}});
  std::vector<Path> files;
  for (const hypervisor::MachineDisk& disk : state_->disks) files.push_back(disk.file);
  return files;
}

std::string VM::qmp(const std::string& command, const std::string& arguments_json) {
  const std::shared_ptr<vm::Session> running = state_->current();
  if (!running)
    throw GuestError(
        {.attempted = "QMP command " + command, .reason = "the VM does not run", .hint = "", .log = {}});
  return running->machine().command(command, arguments_json, Deadline::after(Seconds(30)));
}

int VM::pid() const {
  std::lock_guard lock(state_->mutex);
  return state_->session ? state_->session->machine().pid() : -1;
}

Accel VM::accel() const {
  return state_->accel;
}
Path VM::directory() const {
  return state_->dir ? state_->dir->path() : Path();
}

}  // namespace kdev
