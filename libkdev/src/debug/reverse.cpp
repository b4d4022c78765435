// Running backwards: forwards once more, and looking for the last moment that is asked for.
#include <algorithm>
#include <map>

#include "debug/rsp.hpp"
#include "debug/session_state.hpp"

namespace kdev {
namespace {

constexpr const char* no_history = "no-history";  // gdb's word for where a recording begins
// How far a line's, a call's or a function's begin is looked for: first so many instructions back, then so
// many.
constexpr std::uint64_t look_back[] = {500, 10'000, 200'000};

/// One instruction of the past, before it was executed.
struct Moment {
  std::uint64_t position = 0, pc = 0, sp = 0;
};

/// The last instructions before `now`, oldest first.
std::vector<Moment> past(auto& s, std::uint64_t now, std::uint64_t count, const Deadline& deadline) {
  debug::TimeTravel& machine = *s.target->travel;
  s.step_aside(deadline);
  s.play(now - std::min(now, count), deadline);
  machine.open_stub(deadline);
  std::vector<Moment> moments;
  {
    debug::Rsp stub(machine.connect());
    for (std::uint64_t at = machine.position(deadline); at < now; at = machine.position(deadline)) {
      const auto place = stub.place(deadline);
      moments.push_back({.position = at, .pc = place.pc, .sp = place.sp});
      stub.step(deadline);
    }
  }
  machine.close_stub(deadline);
  return moments;
}

/// Which instructions are of one line.
class Lines {
 public:
  explicit Lines(debug::Gdb& gdb) : gdb_(gdb) {}

  /// The line's name; empty: it has none.
  const std::string& at(std::uint64_t pc, const Deadline& deadline) {
    const auto [known, fresh] = names_.try_emplace(pc);
    if (fresh) {
      // Line 20 of "a.c" starts at address 0xffffffff81000000 <f> and ends at ...; is at address ... but
      // contains no code; No line number information available for address ...
      const std::string said = gdb_.console(fmt::format("info line *{:#x}", pc), deadline);
      const std::size_t end = said.find("\" ");
      if (said.starts_with("Line ") && end != said.npos) known->second = said.substr(0, end);
    }
    return known->second;
  }

 private:
  debug::Gdb& gdb_;
  std::map<std::uint64_t, std::string> names_;
};

/// Looks further and further back until `find` knows the moment, and goes there.
template <class Find>
DebugStop back(auto& s, const std::string& attempted, const Deadline& deadline, Find find) {
  const std::uint64_t now = s.travel(attempted).position(deadline);
  for (const std::uint64_t count : look_back) {
    const std::vector<Moment> moments = past(s, now, count, deadline);
    if (const Moment* found = find(moments))
      return s.go(found->position, deadline, {.reason = "end-stepping-range"});
    if (count >= now) return s.go(0, deadline, {.reason = no_history});
  }
  s.play(now, deadline);
  s.rejoin(deadline);
  throw DebugError(
      {.attempted = attempted,
       .reason = fmt::format("it is not within the last {} instructions", *std::rbegin(look_back)),
       .hint = "set a breakpoint before it, and reverse_continue()",
       .log = {}});
}

DebugStop step_back(auto& s, const std::string& attempted, bool over_calls, Seconds timeout) {
  const Deadline deadline = Deadline::after(timeout);
  s.travel(attempted);
  const auto sp = s.number("$sp");
  Lines lines(*s.gdb);
  return back(s, attempted, deadline, [&](const std::vector<Moment>& moments) -> const Moment* {
    // What was called or came in between has its frames below.
    const auto counts = [&](const Moment& m) {
      return (!over_calls || m.sp >= sp) && !lines.at(m.pc, deadline).empty();
    };
    const Moment* begin = nullptr;
    for (auto m = moments.rbegin(); m != moments.rend(); ++m) {
      if (!counts(*m)) continue;
      if (begin && lines.at(m->pc, deadline) != lines.at(begin->pc, deadline)) return begin;
      begin = &*m;
    }
    return nullptr;
  });
}

}  // namespace

DebugStop DebugSession::reverse_step(Seconds timeout) {
  return step_back(*state_, "step a line back", false, timeout);
}

DebugStop DebugSession::reverse_next(Seconds timeout) {
  return step_back(*state_, "step a line back over calls", true, timeout);
}

DebugStop DebugSession::reverse_step_instruction(Seconds timeout) {
  State& s = *state_;
  const Deadline deadline = Deadline::after(timeout);
  const std::uint64_t now = s.travel("step an instruction back").position(deadline);
  if (now == 0) return s.go(0, deadline, {.reason = no_history});
  return s.go(now - 1, deadline, {.reason = "end-stepping-range"});
}

DebugStop DebugSession::reverse_finish(Seconds timeout) {
  State& s = *state_;
  const std::string attempted = "go back to the call";
  const Deadline deadline = Deadline::after(timeout);
  s.travel(attempted);
  // Where the stack pointer was before the call pushed an address to return to.
  const auto frames = s.command("-stack-list-frames 0 1");
  const auto* stack = frames.results.if_contains("stack");
  if (!stack || !stack->is_array() || stack->as_array().size() < 2)
    throw DebugError({.attempted = attempted, .reason = "nothing called this", .hint = "", .log = {}});
  s.command("-stack-select-frame 1");
  const auto sp = s.number("$sp");
  s.command("-stack-select-frame 0");
  return back(s, attempted, deadline, [&](const std::vector<Moment>& moments) -> const Moment* {
    const auto call =
        std::find_if(moments.rbegin(), moments.rend(), [&](const Moment& m) { return m.sp >= sp; });
    return call == moments.rend() ? nullptr : &*call;
  });
}

DebugStop DebugSession::reverse_continue(Seconds timeout) {
  State& s = *state_;
  const Deadline deadline = Deadline::after(timeout);
  debug::TimeTravel& machine = s.travel("run backwards");
  const std::uint64_t now = machine.position(deadline);
  std::optional<std::pair<std::uint64_t, DebugStop>> last;
  if (!s.breakpoints.empty()) {
    s.go(0, deadline, {.reason = no_history});
    machine.stop_at(now, deadline);
    // What is only looked for.
    struct Discreet {
      bool& flag;
      explicit Discreet(bool& f) : flag(f) { flag = true; }
      ~Discreet() { flag = false; }
    } const discreet(s.discreet);
    for (;;) {
      s.run("-exec-continue");
      DebugStop hit = s.await(deadline, "run backwards");
      const std::uint64_t at = machine.position(deadline);
      if (at >= now) break;
      if (hit.breakpoint) last.emplace(at, std::move(hit));
    }
  }
  if (!last) return s.go(0, deadline, {.reason = no_history});
  return s.go(last->first, deadline, std::move(last->second));
}

}  // namespace kdev
