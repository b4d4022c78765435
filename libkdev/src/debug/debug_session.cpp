// Letting the kernel run, and stopping it.
#include <algorithm>

#include "debug/session_state.hpp"

namespace kdev {

using debug::Halted;
using debug::soon;

DebugSession::DebugSession(std::unique_ptr<debug::Target> target, const Deadline& deadline)
    : state_(std::make_unique<State>(std::move(target))) {
  state_->connect(deadline);
}
DebugSession::DebugSession(DebugSession&&) noexcept = default;
DebugSession& DebugSession::operator=(DebugSession&&) noexcept = default;
DebugSession::~DebugSession() = default;

void DebugSession::close() noexcept {
  if (state_) state_->end();
}

int DebugSession::pid() const {
  return state_->gdb ? state_->gdb->pid() : -1;
}

bool DebugSession::running() const {
  return state_->gdb && !state_->stop;
}

std::optional<DebugStop> DebugSession::stopped() const {
  return state_->stop;
}

std::uint64_t DebugSession::slide() const {
  return state_->slide;
}

const std::vector<std::string>& DebugSession::notes() const {
  return state_->notes;
}

namespace {

std::string insert_command(const Location& location, const BreakOptions& options) {
  std::string text = "-break-insert";
  if (options.once) text += " -t";
  if (options.hardware) text += " -h";
  if (options.pending) text += " -f";
  if (!options.condition.empty()) text += " -c " + debug::mi_quote(options.condition);
  if (options.skip) text += fmt::format(" -i {}", options.skip);
  if (options.thread > 0) text += fmt::format(" -p {}", options.thread);
  return text + " " + debug::mi_quote(location);
}

const json::object& member(const json::object& o, std::string_view name, const std::string& of) {
  const auto* v = o.if_contains(name);
  if (!v || !v->is_object())
    throw DebugError(
        {.attempted = of, .reason = "gdb's answer has no " + std::string(name), .hint = "", .log = {}});
  return v->as_object();
}

}  // namespace

DebugBreakpoint DebugSession::break_at(const Location& location, const BreakOptions& options) {
  State& s = *state_;
  const std::string attempted = "break at " + location;
  s.need_live(attempted);
  const Halted halted(s);
  BreakOptions wanted = options;
  wanted.hardware = wanted.hardware || s.early || s.target->booting;
  const std::string text = insert_command(location, wanted);
  debug::Gdb::Answer answer;
  try {
    answer = s.command(text);
  } catch (const DebugError&) {
    // In a module that gdb has not heard of yet?
    if (!s.python || !s.symbols || !s.target->gdb || s.sync_modules(soon()).empty()) throw;
    answer = s.command(text);
  }
  const auto made = debug::breakpoint_from(member(answer.results, "bkpt", attempted), s.sources);
  s.breakpoints.insert(made.number);
  return made;
}

DebugBreakpoint DebugSession::watch(const std::string& expression, WatchFor what,
                                    const std::string& condition) {
  State& s = *state_;
  const std::string attempted = "watch " + expression;
  s.need_live(attempted);
  const Halted halted(s);
  const char* kind = what == WatchFor::read ? "-r " : what == WatchFor::access ? "-a " : "";
  const auto answer = s.command(std::string("-break-watch ") + kind + debug::mi_quote(expression));
  // "wpt", "hw-rwpt" or "hw-awpt".
  DebugBreakpoint made;
  for (const auto& [key, value] : answer.results)
    if (value.is_object()) {
      made.number = debug::number(value.as_object(), "number");
      made.expression = json::get_string(value.as_object(), "exp");
    }
  s.breakpoints.insert(made.number);
  if (!condition.empty()) s.command(fmt::format("-break-condition {} {}", made.number, condition));
  for (const DebugBreakpoint& b : breakpoints())
    if (b.number == made.number) return b;
  return made;
}

std::vector<DebugBreakpoint> DebugSession::breakpoints() {
  State& s = *state_;
  s.open("list breakpoints");
  std::vector<DebugBreakpoint> list;
  if (s.target->is_core()) return list;
  const Halted halted(s);
  const auto answer = s.command("-break-list");
  const json::object& table = member(answer.results, "BreakpointTable", "list breakpoints");
  if (const auto* body = table.if_contains("body"); body && body->is_array())
    for (const auto& b : body->as_array())
      if (b.is_object()) list.push_back(debug::breakpoint_from(b.as_object(), s.sources));
  return list;
}

void DebugSession::clear(int breakpoint) {
  State& s = *state_;
  s.need_live("clear a breakpoint");
  const Halted halted(s);
  s.command(fmt::format("-break-delete {}", breakpoint));
  s.breakpoints.erase(breakpoint);
}

void DebugSession::resume() {
  State& s = *state_;
  s.need_live("let " + (s.target ? s.target->name : std::string("it")) + " run");
  if (s.stop) s.run("-exec-continue");
}

DebugStop DebugSession::wait(Seconds timeout, std::stop_token stop) {
  State& s = *state_;
  s.need_live("wait for a stop");
  if (s.stop && s.fresh) {
    s.fresh = false;
    return *s.stop;
  }
  if (s.stop) s.run("-exec-continue");
  return s.await(Deadline::after(timeout, std::move(stop)), "wait for a stop of " + s.target->name);
}

DebugStop DebugSession::interrupt() {
  State& s = *state_;
  s.need_live("interrupt the kernel");
  s.halt(soon());
  s.fresh = false;
  return *s.stop;
}

DebugStop DebugSession::step() {
  return state_->step("-exec-step");
}
DebugStop DebugSession::next() {
  return state_->step("-exec-next");
}
DebugStop DebugSession::finish() {
  return state_->step("-exec-finish");
}
DebugStop DebugSession::step_instruction(bool over_calls) {
  return state_->step(over_calls ? "-exec-next-instruction" : "-exec-step-instruction");
}
DebugStop DebugSession::run_to(const Location& location, Seconds timeout) {
  State& s = *state_;
  s.need_stop("run to " + location);
  const int there = break_at(location, {.once = true}).number;
  const DebugStop stop = s.step("-exec-continue", Deadline::after(timeout));
  if (stop.breakpoint != there) clear(there);
  s.breakpoints.erase(there);
  return stop;
}

std::vector<std::string> DebugSession::load_modules() {
  State& s = *state_;
  const std::string attempted = "read the list of modules";
  s.open(attempted);
  if (!s.python)
    throw DebugError({.attempted = attempted,
                      .reason = "this gdb was built without Python",
                      .hint = "install a gdb with it, or let KDEV_GDB name one",
                      .log = {}});
  if (s.target->is_core()) return {};
  const Halted halted(s);
  return s.sync_modules(soon());
}

GdbCommand DebugSession::hand_over() {
  return state_->hand_over();
}

std::string DebugSession::execute(const std::string& command) {
  return state_->open("gdb: " + command).console(command, soon());
}

std::string DebugSession::monitor(const std::string& command) {
  State& s = *state_;
  s.need_live("monitor " + command);
  const Halted halted(s);
  return s.open("monitor " + command).console("monitor " + command, soon());
}

DebuggerAnswer DebugSession::ask_debugger(const std::string& command) {
  State& s = *state_;
  const std::string attempted = "ask the kernel's debugger \"" + command + "\"";
  s.need_live(attempted);
  if (!s.target->ask)
    throw DebugError({.attempted = attempted,
                      .reason = s.target->name + " is not debugged over its kernel's own stub",
                      .hint = "VM::debug() with DebugStub::kernel; monitor() is for what a stub takes itself",
                      .log = {}});
  const Halted halted(s);
  const auto before = s.stop;
  try {
    s.connected = false;
    s.hear();
    s.command("-target-disconnect");
    s.gdb->take_notes();  // that its target is lost
    DebuggerAnswer answer = s.target->ask(command, soon());
    s.command("-target-select remote " + s.target->stub);
    s.connected = true;
    s.take(s.open(attempted).wait_stop(soon(), attempted));
    s.stop = before;
    return answer;
  } catch (...) {
    s.end();
    throw;
  }
}

}  // namespace kdev
