#include <fmt/format.h>

#include <unordered_set>

#include "guest/freebsd/core_facts.hpp"
#include "guest/prstatus.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view shutdown = "kern/kern_shutdown.c";
constexpr std::size_t max_threads = 200000, max_cpus = 1024;

/// Saved by the interrupt that stopped the other processors. An array, or since 14 a pointer to one.
std::optional<Registers> stopped(const KernelView& view, const FreebsdMachine& machine, int cpu) {
  const auto symbol = view.symbol("stoppcbs");
  const auto size = view.size_of("pcb", shutdown);
  if (!symbol || !size || cpu < 0 || cpu >= static_cast<int>(max_cpus)) return std::nullopt;
  auto base = symbol->address;
  if (symbol->size == 8) {
    const auto there = view.number(base);
    if (!there) return std::nullopt;
    base = *there;
  }
  return machine.saved(view, base + static_cast<std::uint64_t>(cpu) * *size);
}

std::string state_of(const KernelView& view, std::uint64_t td) {
  const auto state = view.number(td, "thread", "td_state", shutdown);
  const auto is = [&](std::string_view name) {
    const auto value = view.enumerator(name, shutdown);
    return state && value && static_cast<std::int64_t>(*state) == *value;
  };
  if (is("TDS_RUNNING")) return "running";
  if (is("TDS_RUNQ") || is("TDS_CAN_RUN")) return "runnable";
  if (is("TDS_INACTIVE")) return "inactive";
  if (!is("TDS_INHIBITED")) return "unknown";
  // TDI_* in sys/proc.h: macros, of which debug information knows nothing.
  const auto why = view.number(td, "thread", "td_inhibitors", shutdown).value_or(0);
  if (why & 0x08) return "locked";
  if (why & 0x01) return "suspended";
  if (why & 0x10) return "interrupt";
  if (why & 0x04) return "swapped";
  return "sleeping";
}

/// Who stopped the kernel, and what the processors then did.
struct Stop {
  std::int64_t dumper = 0;  ///< its tid; 0: nobody has called for a dump
  std::optional<std::uint64_t> dumper_pcb{};
  int panic_cpu = -1;               ///< -1: none panicked
  std::uint64_t debugged = 0;       ///< the thread that is in the kernel's debugger; 0: none
  std::vector<Prstatus> machine{};  ///< a machine's own notes of its processors; none: it did not make any
  std::vector<Prstatus> written{};  ///< those of threads, in a core file of kdev's
};

Stop stop_of(const KernelView& view) {
  Stop stop;
  stop.dumper = static_cast<std::int64_t>(view.variable("dumptid", 4).value_or(0));
  if (const auto pcb = view.symbol("dumppcb")) stop.dumper_pcb = pcb->address;
  const auto cpu = view.variable("panic_cpu", 4);
  if (view.variable("panicstr").value_or(0) && cpu && *cpu < max_cpus)
    stop.panic_cpu = static_cast<int>(*cpu);
  if (view.variable("kdb_active", 1).value_or(0)) stop.debugged = view.variable("kdb_thread").value_or(0);
  (view.memory().made_by_machine() ? stop.machine : stop.written) = prstatus_notes(view.memory());
  return stop;
}

/// What the processor did when its machine was looked at; true: it is known, if only that it was in a
/// program.
bool on_machine(const Stop& stop, int cpu, std::optional<Registers>& registers) {
  for (const auto& p : stop.machine) {
    if (cpu < 0 || p.tid != static_cast<std::uint32_t>(cpu) + 1) continue;
    if (!p.user_mode) registers = p.registers;
    return true;
  }
  return false;
}

ThreadState thread_at(const KernelView& view, const FreebsdMachine& machine, std::uint64_t td,
                      const Stop& stop) {
  ThreadState t;
  t.thread.address = td;
  const auto number = [&](std::string_view name) { return view.number(td, "thread", name, shutdown); };
  if (const auto tid = number("td_tid")) t.thread.tid = static_cast<std::int32_t>(*tid);
  t.thread.name = view.text_member(td, "thread", "td_name", shutdown);
  t.thread.state = state_of(view, td);
  const auto channel = number("td_wmesg");
  const auto lock = number("td_lockname");
  if (channel && *channel)
    t.thread.wait_channel = view.text(*channel, 64);
  else if (lock && *lock && t.thread.state == "locked")
    t.thread.wait_channel = view.text(*lock, 64);
  if (t.thread.state == "running")
    if (const auto cpu = number("td_oncpu")) t.thread.cpu = static_cast<std::int32_t>(*cpu);
  const bool dumped = stop.dumper != 0 && t.thread.tid == stop.dumper;
  t.thread.panicked =
      dumped ||
      (stop.dumper == 0 && (stop.panic_cpu >= 0 ? t.thread.cpu == stop.panic_cpu : stop.debugged == td));
  if (dumped && stop.dumper_pcb) t.registers = machine.saved(view, *stop.dumper_pcb);
  if (!t.registers && t.thread.cpu >= 0 && on_machine(stop, t.thread.cpu, t.registers)) return t;
  if (!t.registers && t.thread.state == "running") t.registers = stopped(view, machine, t.thread.cpu);
  if (!t.registers)
    if (const auto pcb = number("td_pcb"); pcb && *pcb) t.registers = machine.saved(view, *pcb);
  for (const auto& p : stop.written) {
    if (t.thread.cpu < 0 || p.tid != static_cast<std::uint32_t>(t.thread.tid)) continue;
    // What the kernel saved says more, where it is that: a call lies before it. Zeros: it was in a program.
    if (!t.registers || t.registers->pc != p.registers.pc) t.registers = p.registers;
    if (!p.registers.pc) t.registers.reset();
  }
  return t;
}

}  // namespace

std::vector<ThreadState> freebsd_threads(const KernelView& view, const FreebsdMachine& machine,
                                         std::vector<std::string>& notes) {
  std::vector<ThreadState> threads;
  const Stop stop = stop_of(view);
  const auto next_process = view.member("proc", "p_list.le_next", shutdown);
  const auto next_thread = view.member("thread", "td_plist.tqe_next", shutdown);
  if (!next_process || !next_thread) {
    notes.push_back("the kernel's file has no debug information of processes and threads");
    return threads;
  }
  std::unordered_set<std::uint64_t> seen;  // of both: no structure is in two lists
  const auto fresh = [&](std::uint64_t at) { return seen.size() < max_threads && seen.insert(at).second; };
  bool endless = false;
  auto process = view.variable("allproc");
  while (process && *process && !endless) {
    if (!fresh(*process)) {
      endless = true;
      break;
    }
    const auto pid = view.number(*process, "proc", "p_pid", shutdown);
    if (!pid) {
      notes.push_back(
          fmt::format("the list of processes leads to {:#x}, which is not in the dump", *process));
      break;
    }
    const auto name = view.text_member(*process, "proc", "p_comm", shutdown);
    auto td = view.number(*process, "proc", "p_threads.tqh_first", shutdown);
    while (td && *td && !(endless = !fresh(*td))) {
      auto t = thread_at(view, machine, *td, stop);
      t.thread.pid = static_cast<std::int32_t>(*pid);
      t.thread.process = name;
      threads.push_back(std::move(t));
      td = view.number(*td + next_thread->offset);
    }
    process = view.number(*process + next_process->offset);
  }
  if (endless) notes.push_back("the list of processes or threads has no end");
  return threads;
}

std::vector<CoreCpu> freebsd_cpus(const KernelView& view) {
  std::vector<CoreCpu> cpus;
  const auto table = view.symbol("cpuid_to_pcpu");
  if (!table) return cpus;
  for (std::size_t i = 0; i < max_cpus && i < table->size / 8; ++i) {
    const auto pcpu = view.number(table->address + i * 8);
    if (!pcpu) break;
    if (!*pcpu) continue;
    CoreCpu cpu;
    cpu.id = static_cast<int>(i);
    if (const auto td = view.number(*pcpu, "pcpu", "pc_curthread", shutdown); td && *td)
      if (const auto tid = view.number(*td, "thread", "td_tid", shutdown))
        cpu.tid = static_cast<std::int32_t>(*tid);
    cpus.push_back(cpu);
  }
  return cpus;
}

bool freebsd_has_run(const KernelView& view, std::uint64_t pc) {
  const auto beginning = view.symbol("fork_trampoline");
  return !beginning || beginning->address != pc;
}

}  // namespace kdev::guest
