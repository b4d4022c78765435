// gdb on the guest's kernel: over the hypervisor's stub, or the one that is in the kernel.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "debug/target.hpp"
#include "guest/guest.hpp"
#include "vm/kernel_stub.hpp"
#include "vm/machine_stub.hpp"
#include "vm/state.hpp"
#include "vm/symbol_sources.hpp"

namespace kdev {
namespace {

/// Where KASLR has put it, as the kernel tells dump tools.
std::optional<std::uint64_t> slide_in(const Core& core) {
  const std::string info = core.vmcoreinfo();
  const std::string_view key = "KERNELOFFSET=";
  const std::size_t at = info.find(key);
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(info.c_str() + at + key.size(), nullptr, 16);
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
  target->modules = vm::module_files(of, guest.symbols());
  // Of two with one name, the one that was given.
  for (const ModuleArtifact& module : spec.modules) target->modules.push_back(module.ko);
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
  const auto& rules = vm::debugger_of(spec, attempted);
  if (!spec.debug_port)
    throw ConfigError({.attempted = attempted,
                       .reason = "it was started without a debug port",
                       .hint = "set VmSpec::debug_port (debug_port=True)",
                       .log = {}});
  const std::shared_ptr<vm::Session> running = current();
  const auto now = seen_state().first;
  const bool at_prompt = now == VmState::crashed || now == VmState::hung;
  if (!running || !(now == VmState::ready || at_prompt))
    throw GuestError({.attempted = attempted,
                      .reason = "it is " + to_string(now),
                      .hint = "",
                      .log = console ? console->file() : Path()});
  if (at_prompt) collect_crashes(running, crash_deadline(deadline.stop()));
  auto target = debug_target(attempted);
  const auto stub = std::make_shared<vm::KernelStub>(shared_from_this(), running, rules);
  target->stub = std::string("./") + hypervisor::debug_socket;
  target->interrupt = [stub](const Deadline& d) { stub->interrupt(d); };
  target->crashed = [stub] { return stub->crashed(); };
  target->abandoned = [stub](bool ran) {
    // What it left in the code of a running kernel nobody can take out.
    if (!ran) stub->back_to_prompt();
  };
  target->closed = [stub] { stub->close(); };
  if (at_prompt)
    stub->hand_over(deadline);
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
  target->slide = [self = shared_from_this(), running, deadline] {
    return slide_in(self->core(running, deadline));
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
  if (kernel)
    throw ConfigError({.attempted = attempted,
                       .reason = "the kernel's own stub is not there before the kernel",
                       .hint = "the machine's is (DebugStub::machine)",
                       .log = {}});
  std::optional<DebugSession> session;
  s.in_turn(attempted, options.stop, [&](const std::stop_token& either) {
    s.hold = true;
    struct Release {
      bool& hold;
      ~Release() { hold = false; }
    } release{s.hold};
    s.start(attempted, either);
  });
  try {
    return s.debug_machine(attempted, true, deadline);
  } catch (...) {
    close();
    throw;
  }
}

}  // namespace kdev
