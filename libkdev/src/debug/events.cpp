// What happens while gdb is on a kernel, as values.
#include <fmt/format.h>

#include "debug/modules_script.hpp"
#include "debug/session_state.hpp"

namespace kdev {
namespace {

constexpr std::size_t most_events = 4096;
// gdb is listened to in turns of this, so that an interruption is heard as well.
constexpr Seconds turn{0.05};

struct Describe {
  std::string operator()(const DebugStopped& e) const {
    const DebugFrame& f = e.stop.frame;
    std::string text = "stopped: " + (e.stop.reason.empty() ? "it was asked to" : e.stop.reason);
    if (!f.function.empty()) text += " in " + f.function;
    if (!f.file.empty()) text += fmt::format(" at {}:{}", f.file, f.line);
    return text;
  }
  std::string operator()(const DebugResumed& e) const { return "goes on: " + e.how; }
  std::string operator()(const DebugModule& e) const {
    return fmt::format("module {} {}", e.name, e.loaded ? "loaded" : "unloaded");
  }
  std::string operator()(const DebugBreakpointChanged& e) const {
    if (e.gone) return fmt::format("breakpoint {} is gone", e.breakpoint.number);
    return fmt::format("breakpoint {}: {} hits{}", e.breakpoint.number, e.breakpoint.hits,
                       e.breakpoint.pending ? ", pending" : "");
  }
  std::string operator()(const DebugOutput& e) const { return e.text; }
  std::string operator()(const DebugTargetLost& e) const { return "lost: " + e.reason; }
};

}  // namespace

std::string describe(const DebugEvent& event) {
  return std::visit(Describe(), event);
}

void DebugSession::State::happen(DebugEvent event) {
  if (happened.size() == most_events) happened.pop_front();
  happened.push_back(std::move(event));
}

void DebugSession::State::hear() {
  if (!gdb) return;
  using Kind = debug::MiRecord::Kind;
  for (const debug::MiRecord& note : gdb->take_notes()) {
    if (note.kind == Kind::target) {
      happen(DebugOutput{note.text});
    } else if (note.kind == Kind::console) {
      // "+ NAME", "- NAME"
      const std::string name = note.text.substr(2, note.text.find('\n') - 2);
      happen(DebugModule{.name = name, .loaded = note.text[0] == '+'});
    } else if (note.name == "breakpoint-modified" || note.name == "breakpoint-created") {
      const auto* about = note.results.if_contains("bkpt");
      if (!about || !about->is_object()) continue;
      // Those that modules are followed by are kdev's own, and gdb's numbers of them negative.
      const DebugBreakpoint changed = debug::breakpoint_from(about->as_object(), sources);
      if (changed.number > 0) happen(DebugBreakpointChanged{.breakpoint = changed, .gone = false});
    } else if (note.name == "breakpoint-deleted") {
      DebugBreakpoint gone;
      gone.number = debug::number(note.results, "id");
      if (gone.number > 0) happen(DebugBreakpointChanged{.breakpoint = gone, .gone = true});
    } else if (note.name == "thread-group-exited") {
      happen(DebugTargetLost{"the machine ended, or its stub went away"});
    }
  }
}

std::vector<DebugEvent> DebugSession::events(Seconds timeout, std::stop_token interrupt) {
  State& s = *state_;
  s.open("see what happens");
  const Deadline deadline = Deadline::after(timeout, std::move(interrupt));
  for (;;) {
    // A kernel that booted this far has not got its symbols yet: wait() knows how to wait for that.
    while (s.gdb->listen(Seconds(0)))
      ;
    if (!s.stop && s.gdb->has_stopped() && !s.early) s.take(s.gdb->wait_stop(debug::soon(), "take a stop"));
    s.hear();
    if (!s.happened.empty() || deadline.expired()) break;
    s.gdb->listen(std::min(turn, deadline.remaining()));
    deadline.check_interrupt("wait for an event");
  }
  std::vector<DebugEvent> events(std::make_move_iterator(s.happened.begin()),
                                 std::make_move_iterator(s.happened.end()));
  s.happened.clear();
  return events;
}

}  // namespace kdev
