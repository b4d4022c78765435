// Stops, and what lets the kernel run.
#include "debug/session_state.hpp"

#include <algorithm>

namespace kdev {

debug::Halted::Halted(DebugSession::State& state)
    : state_(state), was_running_(!state.stop), was_discreet_(state.discreet) {
  if (!was_running_) return;
  state_.discreet = true;
  try {
    state_.halt(soon());
  } catch (...) {
    state_.discreet = was_discreet_;
    throw;
  }
}

debug::Halted::~Halted() {
  try {
    // Not when it has met a breakpoint on its way to this stop.
    if (was_running_ && state_.stop && state_.stop->breakpoint == 0) state_.run("-exec-continue");
  } catch (const std::exception&) {
    // gdb has ended: the next call says so.
  }
  state_.discreet = was_discreet_;
  if (was_running_ && state_.stop) state_.happen(DebugStopped{*state_.stop});
}

debug::Gdb::Answer DebugSession::State::command_in(const std::string& name, int thread, int frame,
                                                   const std::string& rest) {
  // --frame goes with --thread alone.
  std::string of;
  if (thread > 0) of = fmt::format(" --thread {}", thread);
  if (frame >= 0 && thread > 0)
    of += fmt::format(" --frame {}", frame);
  else if (frame >= 0)
    command(fmt::format("-stack-select-frame {}", frame));
  // What comes after is of the innermost frame again, and of its language.
  struct Reselect {
    State* state;
    ~Reselect() {
      try {
        if (state) state->command("-stack-select-frame 0");
      } catch (const std::exception&) {
        // gdb has ended: the next command says so.
      }
    }
  } const reselect{frame > 0 && thread <= 0 ? this : nullptr};
  return command(name + of + (rest.empty() ? "" : " " + rest));
}

void DebugSession::State::take(const json::object& stopped, bool named) {
  stop = debug::stop_from(stopped, sources);
  if (stop->reason.starts_with("exited")) {
    stop.reset();
    throw DebugError({.attempted = "debug " + target->name,
                      .reason = "the machine has ended",
                      .hint = "",
                      .log = target->options.log});
  }
  if (const auto* thread = stopped.if_contains("thread-id"); named && thread && thread->is_string())
    stop->thread = thread_id(std::string(thread->as_string()));
  fresh = true;
  hear();
  if (!discreet) happen(DebugStopped{*stop});
}

std::string DebugSession::State::thread_id(const std::string& number) {
  try {
    const auto answer = command("-thread-info " + number);
    const auto* list = answer.results.if_contains("threads");
    if (list && list->is_array() && !list->as_array().empty() && list->as_array()[0].is_object())
      return json::get_string(list->as_array()[0].as_object(), "target-id");
  } catch (const DebugError&) {
    // Then it has no name.
  }
  return {};
}

void DebugSession::State::run(const std::string& how) {
  need_live(how);
  stop.reset();
  fresh = false;
  gdb->drop_stops();
  command(how);
  hear();
  if (!discreet) happen(DebugResumed{how});
}

DebugStop DebugSession::State::step(const std::string& how, const Deadline& deadline) {
  need_live("gdb: " + how);
  need_stop(how);
  const DebugStop before = *stop;
  try {
    run(how);
  } catch (const DebugError&) {
    if (!gdb->running()) stop = before;  // it was refused
    throw;
  }
  return await(deadline, "gdb: " + how);
}

DebugStop DebugSession::State::await(const Deadline& deadline, const std::string& what) {
  debug::Gdb& g = open(what);
  take(early ? await_early(deadline, what) : g.wait_stop(deadline, what));
  fresh = false;
  return *stop;
}

void DebugSession::State::need_stop(const std::string& attempted) {
  open(attempted);
  if (!stop)
    throw DebugError(
        {.attempted = attempted, .reason = "the kernel runs", .hint = "interrupt() stops it", .log = {}});
}

void DebugSession::State::need_live(const std::string& attempted) {
  open(attempted);
  if (target->is_core())
    throw DebugError({.attempted = attempted,
                      .reason = target->name + " is a dump: nothing in it can run",
                      .hint = "",
                      .log = {}});
}

void DebugSession::State::halt(const Deadline& deadline, bool named) {
  if (stop) return;
  const std::string what = "interrupt " + target->name;
  debug::Gdb& g = open(what);
  if (target->interrupt)
    target->interrupt(deadline);
  else
    g.command("-exec-interrupt", deadline);
  take(g.wait_stop(deadline, what), named);
}

}  // namespace kdev
