// To another moment of a replay: gdb stays, its machine is another one.
#include <charconv>

#include "debug/session_state.hpp"

namespace kdev {

debug::TimeTravel& DebugSession::State::travel(const std::string& attempted) {
  need_live(attempted);
  if (!target->travel)
    throw DebugError({.attempted = attempted,
                      .reason = target->name + " is no replay: it knows no way back",
                      .hint = "VmSpec::record (record=True), VM::recording() and Recording::replay()",
                      .log = {}});
  // After a way back that failed nobody is on the machine: any other way leads on from there.
  if (connected) need_stop(attempted);
  return *target->travel;
}

void DebugSession::State::step_aside(const Deadline& deadline) {
  if (!connected) return;
  hear();
  command("-target-disconnect", deadline);
  gdb->take_notes();  // that its target is lost
  connected = false;
  stop.reset();
  target->travel->close_stub(deadline);
}

void DebugSession::State::play(std::uint64_t position, const Deadline& deadline) {
  debug::TimeTravel& machine = *target->travel;
  // Restoring a snapshot instead of starting anew is not for this machine: the replay then stood still, as it
  // seems because virtio-serial arms a timer of its own there (virtio_serial_load_device() in QEMU 7.2),
  // which the recording has not got.
  bool back = true;
  try {
    back = position < machine.position(deadline);
  } catch (const DebugError&) {
    // It has ended: a new one begins at the begin.
  } catch (const HostError&) {
  }
  if (back) machine.rewind(deadline);
  machine.play_to(position, deadline);
}

void DebugSession::State::rejoin(const Deadline& deadline) {
  target->travel->open_stub(deadline);
  // Behind the end the machine itself ends.
  target->travel->stop_at(target->travel->end_position(), deadline);
  gdb->drop_stops();
  command("-target-select remote " + target->stub, deadline);
  connected = true;
  take(gdb->wait_stop(deadline, "connect gdb to " + target->name));
  fresh = false;
  stand(deadline);
}

std::uint64_t DebugSession::State::number(const std::string& expression) {
  const auto answer =
      command("-data-evaluate-expression " + debug::mi_quote("(unsigned long)(" + expression + ")"));
  const std::string text = json::get_string(answer.results, "value");
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
    throw DebugError(
        {.attempted = "evaluate " + expression, .reason = "it is no number: " + text, .hint = "", .log = {}});
  return value;
}

DebugStop DebugSession::State::go(std::uint64_t position, const Deadline& deadline, DebugStop reason) {
  step_aside(deadline);
  play(position, deadline);
  rejoin(deadline);
  reason.frame = stop->frame;
  reason.thread = stop->thread;
  stop = std::move(reason);
  return *stop;
}

std::uint64_t DebugSession::position() {
  State& s = *state_;
  return s.travel("ask how far the replay is").position(debug::soon());
}

DebugStop DebugSession::go_to(std::uint64_t position, Seconds timeout) {
  State& s = *state_;
  debug::TimeTravel& machine = s.travel("go to another moment");
  if (position > machine.end_position())
    throw DebugError({.attempted = fmt::format("go to instruction {}", position),
                      .reason = fmt::format("the recording ends at {}", machine.end_position()),
                      .hint = "",
                      .log = {}});
  return s.go(position, Deadline::after(timeout), {.reason = "end-stepping-range"});
}

}  // namespace kdev
