// start, reboot, stop, close: machines come and go.
#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

#include "agent/protocol.h"
#include "guest/console_rules.hpp"
#include "guest/guest.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

constexpr std::size_t tail_bytes = 4096;

}  // namespace

void VM::State::fail_boot(const std::string& why, const std::string& hint, std::size_t console_begin) {
  std::string tail = console->read(console_begin);
  if (tail.size() > tail_bytes) tail.erase(0, tail.find('\n', tail.size() - tail_bytes) + 1);
  std::shared_ptr<const CrashReport> crash;
  {
    std::lock_guard lock(mutex);
    if (!crashes.empty() && crashes.back().begin >= console_begin) {
      // The first report of this boot: what follows a crash is mostly its consequence.
      for (const CrashReport& report : crashes)
        if (report.begin >= console_begin) {
          crash = std::make_shared<CrashReport>(report);
          break;
        }
    }
  }
  const Path log = console->file();
  throw BootError({.attempted = fmt::format("boot VM '{}' (kernel {})", spec.name, kernel.release),
                   .reason = crash ? fmt::format("{}: {}", why, crash->title) : why,
                   .hint = hint,
                   .log = log},
                  std::move(tail), std::move(crash));
}

void VM::State::wait_ready(vm::Session& running, std::size_t console_begin, const Deadline& deadline) {
  const auto self = session;
  bool timed_out = false, broken = false;
  const guest::ConsoleRules* rules = guest::guest_for(kernel.os).console();
  const guest::BootPrompt* prompt = nullptr;
  try {
    running.wait(deadline, fmt::format("boot VM '{}'", spec.name), [&] {
      const auto& status = running.status_locked();
      broken = running.agent().broken_locked();
      if (rules) prompt = rules->boot_prompt(running.quiet_line_locked());
      return running.agent().hello_locked() || prompt || broken || status.gone || status.shutdown ||
             (status.panicked && !status.crash_open);
    });
  } catch (const TimeoutError&) {
    timed_out = true;
  }
  if (timed_out) {
    provoke_report(self);
    collect_crashes(self, crash_deadline());
    fail_boot(fmt::format("the guest did not answer within {:.0f} s", spec.timeouts.boot.count()),
              spec.image.has_agent()
                  ? "look at the console; VmTimeouts::boot sets the limit"
                  : "the image has no agent: add it (SeedImage::busybox(), or directory(dir, agent = true))",
              console_begin);
  }
  if (prompt)
    fail_boot(fmt::format("the boot stopped {}", prompt->where), std::string(prompt->hint), console_begin);
  const vm::Session::Status status = running.status();
  if (status.panicked || status.shutdown || status.gone || broken) {
    collect_crashes(self, crash_deadline(deadline.stop()));
    if (status.panicked || !status.episodes.empty())
      fail_boot("the kernel crashed before it was ready", "", console_begin);
    if (status.shutdown)
      fail_boot(fmt::format("the guest ended by itself ({}) before it was ready", *status.shutdown),
                "does the image's init start kdev's agent?", console_begin);
    if (!status.gone) fail_boot(vm::channel_broke, "", console_begin);
    // Nobody asked it to end: its own log says why. Not the kernel's fault.
    const ExitStatus ended = running.close(spec.timeouts.close);
    std::string said = local_host()->read_file(dir->hypervisor_log());
    if (said.size() > tail_bytes) said.erase(0, said.size() - tail_bytes);
    throw HostError({.attempted = fmt::format("boot VM '{}'", spec.name),
                     .reason = fmt::format("{} with {}{}", vm::ended(), kdev::describe(ended),
                                           said.empty() ? "" : ": " + said),
                     .hint = "",
                     .log = dir->hypervisor_log()});
  }
}

void VM::State::check_identity(vm::Session& running) {
  vm::AgentHello hello;
  running.wait(Deadline(), "greet the agent", [&] {
    hello = *running.agent().hello_locked();
    return true;
  });
  if (hello.version != KDEV_PROTOCOL_VERSION)
    throw GuestError({.attempted = fmt::format("greet the agent of VM '{}'", spec.name),
                      .reason = fmt::format("it speaks protocol version {}, kdev {}", hello.version,
                                            KDEV_PROTOCOL_VERSION),
                      .hint = "make the image again with this kdev's agent",
                      .log = {}});
  const std::string& running_id = hello.facts["build_id"];
  if (!kernel.build_id.empty() && running_id != kernel.build_id)
    throw GuestError({.attempted = fmt::format("check which kernel VM '{}' runs", spec.name),
                      .reason = fmt::format("build id {} ({}) runs in place of {} ({})", running_id,
                                            hello.facts["release"], kernel.build_id, kernel.release),
                      .hint = "is KernelArtifact::image from the same build as its vmlinux?",
                      .log = {}});
}

void VM::State::boot(const Deadline& deadline) {
  const std::size_t console_begin = console->size();
  const auto* rules = guest::guest_for(kernel.os).console();
  hypervisor::MachineSpec machine = machine_spec(deadline);
  machine.paused = hold == Hold::in_machine;
  {
    std::lock_guard lock(mutex);
    taped = machine;
    recorded.reset();
    recorded_of.reset();
  }
  set_state(VmState::booting, "");
  describe_running();
  auto started = std::make_shared<vm::Session>(
      spec.name, hypervisor::all_hypervisors().front()->start(machine, dir->lease(), deadline), console,
      rules, spec.timeouts.crash, events, guest::guest_for(kernel.os).debugger(), spec.on_crash,
      spec.debug_port ? dir->path() : Path());
  {
    std::lock_guard lock(mutex);
    started->scan.kernel = kernel;
    started->scan.to = console_begin;
    session = started;
    argv = hypervisor::all_hypervisors().front()->command_line(machine);
  }
  if (hold != Hold::no) {
    held = console_begin;
    return;
  }
  come_up(started, console_begin, deadline);
}

void VM::State::come_up(const std::shared_ptr<vm::Session>& started, std::size_t console_begin,
                        const Deadline& deadline) {
  if (!spec.image.has_agent() && spec.image.is_archive() == false) return;
  const std::uint32_t hello[2] = {KDEV_PROTOCOL_VERSION, KDEV_HELLO_RESET};
  started->agent().send(KDEV_HELLO, 0, {reinterpret_cast<const char*>(hello), sizeof hello});
  wait_ready(*started, console_begin, deadline);
  try {
    check_identity(*started);
  } catch (const GuestError&) {
    if (!next_is_armed) throw;
    // The one that was tried: its boot had not got as far as the loader. Now it has.
    next_is_armed = false;
    end_session(spec.timeouts.close);
    return boot(deadline);
  }
  next_is_armed = false;
  know_memory(*started, deadline);
  set_state(VmState::ready, "");
}

void VM::State::end_session(Seconds limit) noexcept {
  std::shared_ptr<vm::Session> ending;
  {
    std::lock_guard lock(mutex);
    ending = std::move(session);
    session.reset();
  }
  if (!ending) return;
  const auto instructions = stop_tape(*ending);
  ending->close(limit);
  if (instructions) keep_recording(ending, *instructions);
}

void VM::start(std::stop_token stop) {
  State& s = *state_;
  const std::string attempted = fmt::format("start VM '{}'", s.spec.name);
  s.in_turn(attempted, stop, [&](const std::stop_token& either) { s.start(attempted, either); });
}

void VM::State::start(const std::string& attempted, const std::stop_token& stop) {
  if (const VmState now = seen_state().first; now != VmState::defined && now != VmState::stopped &&
                                              !(held && now == VmState::booting && hold == Hold::no))
    throw GuestError({.attempted = attempted, .reason = "it is " + to_string(now), .hint = "", .log = {}});
  if (held && session) {
    const std::size_t console_begin = *std::exchange(held, {});
    try {
      come_up(session, console_begin, Deadline::after(spec.timeouts.boot, stop));
    } catch (...) {
      end_session(spec.timeouts.close);
      set_state(VmState::stopped, "the boot failed");
      throw;
    }
    return;
  }
  held.reset();
  end_session(spec.timeouts.close);
  // What was installed and written on its disks before stays there, whatever becomes of this boot.
  const bool first = !dir;
  try {
    if (!dir) dir.emplace(spec, spec.name);
    if (!console) console = std::make_shared<vm::ConsoleLog>(dir->console_log());
    check_recordable(attempted);
    if (spec.record) {
      accel = Accel::tcg;
    } else if (spec.accel == Accel::automatic) {
      const AccelProbe probe = probe_accel();
      accel = probe.accel;
      if (probe.accel == Accel::tcg && events->wanted())
        events->push(Notice{"no KVM, TCG is used: " + probe.reason});
    } else {
      accel = spec.accel;
    }
    // A release's image is larger than a boot is long.
    if (spec.image.is_disk() && boot_disk.empty()) {
      disk_plan(attempted);
      boot_disk = spec.image
                      .fetch(
                          dir->image_cache(), [this](const Event& event) { events->push(event); },
                          Deadline::never(stop))
                      .file;
    }
    // What was tried once is over when the machine is.
    boot_kernel(usual, Deadline::after(spec.timeouts.boot, stop));
  } catch (...) {
    end_session(spec.timeouts.close);
    set_state(VmState::stopped, "the boot failed");
    if (first) dir.reset();
    throw;
  }
}

void VM::State::stop_machine(const Deadline& deadline) {
  const std::shared_ptr<vm::Session> running = current();
  // A recording's end is known where the machine still stands.
  if (running && !spec.record && seen_state().first == VmState::ready) {
    const std::uint32_t kind = KDEV_POWER_OFF;
    const auto exchange = running->agent().open(0);
    running->agent().send(KDEV_POWER, exchange->id, {reinterpret_cast<const char*>(&kind), sizeof kind});
    try {
      running->wait(deadline, "power off the guest", [&] {
        const auto& status = running->status_locked();
        return status.shutdown || status.gone || status.panicked || running->agent().broken_locked();
      });
    } catch (const TimeoutError&) {
      // Not cleanly, then.
    }
  }
  if (running) collect_crashes(running, Deadline::after(spec.timeouts.crash, deadline.stop()));
  end_session(spec.timeouts.close);
}

void VM::stop() {
  State& s = *state_;
  s.in_turn(fmt::format("stop VM '{}'", s.spec.name), {}, [&](const std::stop_token& either) {
    s.stop_machine(Deadline::after(s.spec.timeouts.close, either));
    s.set_state(VmState::stopped, "stopped");
  });
  s.events->deliver();
}

void VM::State::shut() noexcept {
  // From inside one of this thread's own turns: that one does it when it leaves.
  if (!turns.begin_closing()) return;
  end_session(spec.timeouts.close);
  try {
    set_state(VmState::stopped, "closed");
  } catch (...) {
    // Only the event's memory could fail.
  }
  dir.reset();
  turns.end();
}

void VM::end() noexcept {
  if (state_) state_->shut();
}

void VM::close() noexcept {
  if (!state_) return;
  end();
  try {
    state_->events->deliver();
  } catch (...) {
    // What a sink throws here has nowhere to go.
  }
}

}  // namespace kdev
