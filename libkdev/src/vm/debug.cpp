// gdb on the guest's kernel: over the hypervisor's stub, or the one that is in the kernel.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "debug/target.hpp"
#include "guest/guest.hpp"
#include "vm/kernel_stub.hpp"
#include "vm/machine_stub.hpp"
#include "vm/state.hpp"

namespace kdev {
namespace {

/// Without VMCOREINFO nobody has said where KASLR put it.
std::optional<std::uint64_t> known_slide(const Core& core) {
  if (core.vmcoreinfo().empty()) return std::nullopt;
  return core.slide();
}

}  // namespace

std::unique_ptr<debug::Target> VM::State::debug_target(const std::string& attempted) {
  KernelArtifact of;
  std::shared_ptr<vm::Session> running;
  {
    std::lock_guard lock(mutex);
    of = kernel;
    running = session;
  }
  if (running->status().debugged)
    throw GuestError({.attempted = attempted,
                      .reason = "somebody debugs it already",
                      .hint = "close that session",
                      .log = {}});
  const guest::Guest& guest = guest::guest_for(of.os);
  auto target = std::make_unique<debug::Target>();
  target->name = fmt::format("VM '{}'", spec.name);
  target->symbols = of.vmlinux;
  target->source = of.source;
  std::vector<Path> given;
  for (const ModuleArtifact& module : spec.modules) given.push_back(module.ko);
  target->modules = debug::module_files(of, given);
  target->gdb = guest.gdb();
  target->names = &guest.symbols();
  target->options = {
      .cwd = dir->path(),
      .log = Path(console->file().string() + ".gdb.log"),
      .lease = dir->lease().token(),
      .on_start = [this](int pid, unsigned long long start) { dir->lease().add_process(pid, start); }};
  return target;
}

DebugSession VM::State::debug_kernel(const std::string& attempted, const Deadline& deadline) {
  if (!spec.debug_port)
    throw ConfigError({.attempted = attempted,
                       .reason = "it was started without a debug port",
                       .hint = "set VmSpec::debug_port (debug_port=True)",
                       .log = {}});
  const auto& rules = vm::debugger_of(spec, attempted);
  const std::shared_ptr<vm::Session> running = current();
  const auto now = seen_state().first;
  // One that was told to stops for its debugger in its boot.
  const bool at_boot = now == VmState::booting && held;
  const bool at_prompt = now == VmState::crashed || now == VmState::hung || at_boot;
  if (!running || !(now == VmState::ready || at_prompt))
    throw GuestError({.attempted = attempted,
                      .reason = "it is " + to_string(now),
                      .hint = "",
                      .log = console ? console->file() : Path()});
  if (at_prompt && !at_boot) collect_crashes(running, crash_deadline(deadline.stop()));
  auto target = debug_target(attempted);
  const auto stub = std::make_shared<vm::KernelStub>(shared_from_this(), running, rules);
  target->stub = std::string("./") + hypervisor::debug_socket;
  target->booting = at_boot;
  target->slide = [self = shared_from_this(), running, deadline] {
    return known_slide(self->core(running, deadline));
  };
  target->interrupt = [stub](const Deadline& d) { stub->interrupt(d); };
  target->ask = [stub](const std::string& command, const Deadline& d) { return stub->ask(command, d); };
  target->crashed = [stub] { return stub->crashed(); };
  target->abandoned = [stub](bool ran) { stub->abandoned(ran); };
  target->closed = [stub] { stub->close(); };
  if (at_prompt)
    stub->hand_over(!at_boot, deadline);
  else
    stub->enter(deadline);
  return DebugSession(std::move(target), deadline);
}

DebugSession VM::State::debug_machine(const std::string& attempted, bool fresh, const Deadline& deadline) {
  const std::shared_ptr<vm::Session> running = current();
  const auto now = seen_state().first;
  if (!running || now == VmState::stopped || now == VmState::defined)
    throw GuestError(
        {.attempted = attempted,
         .reason = "it is " + to_string(now),
         .hint = now == VmState::defined ? "start() it, or wait for its first instruction (wait)" : "",
         .log = console ? console->file() : Path()});
  if (now == VmState::crashed) collect_crashes(running, crash_deadline(deadline.stop()));
  auto target = debug_target(attempted);
  const auto stub = std::make_shared<vm::MachineStub>(running, dir->path());
  target->stub = std::string("./") + hypervisor::stub_socket;
  target->fresh_machine = fresh;
  target->may_move = fresh && spec.boot == BootMethod::bzimage;
  target->slide = [self = shared_from_this(), running, deadline] {
    return known_slide(self->core(running, deadline));
  };
  // One that stood still stays so: gdb goes without letting it run.
  if (!fresh) target->crashed = [stub] { return stub->was_paused(); };
  target->abandoned = [stub](bool) { stub->clean(); };
  target->closed = [stub] { stub->close(); };
  stub->open(deadline);
  return DebugSession(std::move(target), deadline);
}

DebugSession VM::debug(const DebugOptions& options) {
  State& s = *state_;
  const std::string attempted = fmt::format("debug VM '{}'", s.spec.name);
  const Deadline deadline = Deadline::after(options.timeout, options.stop);
  const bool kernel = options.stub == DebugStub::kernel ||
                      (options.stub == DebugStub::automatic && s.spec.debug_port && !options.wait);
  if (!options.wait)
    return kernel ? s.debug_kernel(attempted, deadline) : s.debug_machine(attempted, false, deadline);
  if (kernel && !guest::guest_for(s.spec.kernel.os).waits_for_debugger())
    throw ConfigError(
        {.attempted = attempted,
         .reason = "kdev cannot tell this kernel to wait in its own stub",
         .hint = "before its first instruction the machine's stub is there (DebugStub::machine)",
         .log = {}});
  s.in_turn(attempted, options.stop, [&](const std::stop_token& either) {
    s.hold = kernel ? State::Hold::in_kernel : State::Hold::in_machine;
    struct Release {
      State::Hold& hold;
      ~Release() { hold = State::Hold::no; }
    } release{s.hold};
    s.start(attempted, either);
  });
  try {
    return kernel ? s.debug_kernel(attempted, deadline) : s.debug_machine(attempted, true, deadline);
  } catch (...) {
    close();
    throw;
  }
}

}  // namespace kdev
