#include "vm/replay_machine.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <kdev/error.hpp>

#include "common/json.hpp"
#include "host/unix_socket.hpp"

namespace kdev::vm {
namespace {

// Behind an instruction where a replay shall stand, its machine is looked at this often.
constexpr int look_ms = 5;
constexpr Seconds machine_call{20};
constexpr Seconds console_report{1};
// Replays do nothing for a guest's sake when they end.
constexpr Seconds close_limit{1};

VmSpec place_of(const Recording& recording, const ReplayOptions& options) {
  VmSpec spec;
  spec.kernel = recording.kernel;
  spec.run_dir = options.run_dir;
  return spec;
}

}  // namespace

std::string describe_machine(const hypervisor::MachineSpec& machine) {
  return json::dump(json::object{{"name", machine.name},
                                 {"kind", static_cast<int>(machine.plan.kind)},
                                 {"kernel", machine.plan.kernel.string()},
                                 {"initrd", machine.plan.initrd.string()},
                                 {"cmdline", machine.plan.cmdline},
                                 {"memory", machine.memory},
                                 {"agent_port", machine.agent_port},
                                 {"extra_args", json::from_strings(machine.extra_args)}});
}

hypervisor::MachineSpec machine_from(std::string_view text) {
  const json::object o = json::parse_object(text, "a recorded machine");
  hypervisor::MachineSpec machine;
  machine.name = json::get_string(o, "name");
  const std::int64_t kind = json::get_int(o, "kind", -1), memory = json::get_int(o, "memory");
  if (kind < 0 || kind > static_cast<int>(BootPlan::Kind::direct_multiboot) || memory < 1 << 20)
    throw FormatError({.attempted = "read a recorded machine",
                       .reason = "it is booted from a disk, or has no memory",
                       .hint = "",
                       .log = {}});
  machine.plan.kind = static_cast<BootPlan::Kind>(kind);
  machine.plan.kernel = json::get_path(o, "kernel");
  machine.plan.initrd = json::get_path(o, "initrd");
  machine.plan.cmdline = json::get_string(o, "cmdline");
  machine.memory = static_cast<std::uint64_t>(memory);
  machine.agent_port = json::get_bool(o, "agent_port", true);
  machine.extra_args = json::get_strings(o, "extra_args");
  return machine;
}

ReplayMachine::ReplayMachine(const Recording& recording, const ReplayOptions& options)
    : spec_(machine_from(recording.machine)),
      end_(recording.instructions),
      dir_(place_of(recording, options), "replay"),
      events_(std::make_shared<EventQueue>(EventSink())) {
  spec_.tape = hypervisor::MachineSpec::Tape::replay;
  spec_.tape_file = recording.file;
  spec_.paused = true;
  spec_.dir = dir_.path();
  spec_.log = dir_.hypervisor_log();
}

hypervisor::Machine& ReplayMachine::machine() {
  if (!session_)
    throw DebugError(
        {.attempted = "replay", .reason = "the machine has ended", .hint = "", .log = spec_.log});
  return session_->machine();
}

void ReplayMachine::end() noexcept {
  if (session_) session_->close(close_limit);
  session_.reset();
}

void ReplayMachine::rewind(const Deadline& deadline) {
  end();
  auto started = hypervisor::all_hypervisors().front()->start(spec_, dir_.lease(), deadline);
  // Whatever it says it said when it was recorded; but somebody has to read it.
  session_ = std::make_unique<Session>(spec_.name, std::move(started),
                                       std::make_shared<ConsoleLog>(dir_.console_log()), nullptr,
                                       console_report, events_);
}

std::uint64_t ReplayMachine::position(const Deadline& deadline) {
  return machine().position(deadline.within(machine_call));
}

void ReplayMachine::stop_at(std::uint64_t position, const Deadline& deadline) {
  machine().replay_to(position, deadline.within(machine_call));
}

void ReplayMachine::play_to(std::uint64_t target, const Deadline& deadline) {
  if (position(deadline) == target) return;
  stop_at(target, deadline);
  machine().resume(deadline.within(machine_call));
  const std::string what = fmt::format("replay to instruction {}", target);
  std::uint64_t at = 0;
  try {
    while (at < target || !machine().paused(deadline.within(machine_call))) {
      deadline.check(what);
      ::poll(nullptr, 0, look_ms);
      at = position(deadline);
    }
  } catch (const HostError&) {
    throw DebugError({.attempted = what,
                      .reason = "the hypervisor ended: the recording is not whole, or not of this machine",
                      .hint = "",
                      .log = spec_.log});
  }
  if (at != target)
    throw DebugError(
        {.attempted = what, .reason = fmt::format("it stands at {}", at), .hint = "", .log = spec_.log});
}

void ReplayMachine::open_stub(const Deadline& deadline) {
  machine().open_stub(deadline.within(machine_call));
}
void ReplayMachine::close_stub(const Deadline& deadline) {
  machine().close_stub(deadline.within(machine_call));
}
UniqueFd ReplayMachine::connect() {
  return connect_unix(dir_.path(), hypervisor::stub_socket);
}

}  // namespace kdev::vm
