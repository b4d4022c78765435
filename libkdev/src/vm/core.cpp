// The guest's memory, read in place.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "crash/core/machine_ram.hpp"
#include "vm/state.hpp"
#include "vm/symbol_sources.hpp"

namespace kdev {

void VM::State::know_memory(vm::Session& running, const Deadline& deadline) {
  try {
    running.machine().memory(deadline.within(spec.timeouts.probe));
  } catch (const DebugError&) {
    // core() will say so.
  } catch (const HostError&) {
    // It is ending: whoever waits for it sees that.
  }
}

Core VM::State::core(const std::shared_ptr<vm::Session>& boot, const Deadline& deadline, bool live) {
  hypervisor::Machine& machine = boot->machine();
  const hypervisor::MachineMemory memory = machine.memory(deadline);
  std::string notes;
  std::vector<hypervisor::CpuRegisters> cpus;
  try {
    if (live)
      cpus = machine.registers(deadline);
    else
      notes = machine.cpu_notes(deadline);
  } catch (const HostError&) {
    // It has ended: its memory is there all the same.
  } catch (const DebugError&) {
  }
  SymbolSources sources;
  {
    std::lock_guard lock(scanning);
    sources = vm::symbol_sources(boot->scan.kernel, spec.modules);
    sources.os = boot->scan.kernel.os;
  }
  return crash::open_core(
      fmt::format("the memory of VM '{}'", spec.name),
      live ? crash::open_machine_ram(memory, cpus) : crash::open_machine_ram(memory, notes),
      std::move(sources));
}

Core VM::core(std::stop_token stop) {
  return state_->open_memory(false, stop);
}

Core VM::live_core(std::stop_token stop) {
  return state_->open_memory(true, stop);
}

Core VM::State::open_memory(bool live, std::stop_token stop) {
  State& s = *this;
  const std::shared_ptr<vm::Session> running = s.current();
  if (!running)
    throw GuestError({.attempted = fmt::format("read the memory of VM '{}'", s.spec.name),
                      .reason = "it does not run",
                      .hint = "",
                      .log = s.console ? s.console->file() : Path()});
  if (s.seen_state().first == VmState::crashed) s.collect_crashes(running, s.crash_deadline(stop));
  return s.core(running, Deadline::after(s.spec.timeouts.crash, stop), live);
}

}  // namespace kdev
