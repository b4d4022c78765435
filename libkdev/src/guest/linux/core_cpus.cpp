// A Linux kernel's processors: what ran on each, and its registers.
#include <algorithm>

#include "guest/linux/core_facts.hpp"
#include "guest/prstatus.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view unit = "init/init_task.c", core_unit = "kernel/sched/core.c";
constexpr std::uint64_t max_cpus = 8192;  // the most of CONFIG_NR_CPUS on x86

/// A machine writes one for each CPU, whose number plus one is its pid. A kernel that dumps itself writes the
/// task's pid, in the order of CPUs, and none for a CPU that was not stopped: where some are missing, pids
/// tell which it is, of an idle one's, which is 0, the stack. In a core file of kdev's all tasks have one,
/// idle ones with pids of their own.
void give_registers(const KernelView& view, std::vector<LinuxCpu>& cpus) {
  const std::vector<Prstatus> notes = prstatus_notes(view.memory());
  const auto give = [](LinuxCpu& cpu, const Prstatus& p) {
    cpu.user_mode = p.user_mode;
    // One of zeros is of a CPU of which nothing is known.
    if (!p.user_mode && (p.registers.pc || p.registers.values.at(7))) cpu.registers = p.registers;
  };
  if (view.memory().made_by_machine()) {
    for (auto& cpu : cpus)
      for (const auto& p : notes)
        if (p.tid == static_cast<std::uint32_t>(cpu.id) + 1) give(cpu, p);
    return;
  }
  std::vector<std::optional<std::uint64_t>> pids;
  for (const auto& cpu : cpus) pids.push_back(view.number(cpu.current, "task_struct", "pid", unit));
  if (std::equal(notes.begin(), notes.end(), pids.begin(), pids.end(),
                 [](const Prstatus& p, const auto& pid) { return pid == p.tid; })) {
    for (std::size_t i = 0; i < cpus.size(); ++i) give(cpus[i], notes[i]);
    return;
  }
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    auto& cpu = cpus[i];
    const auto stack = view.number(cpu.current, "task_struct", "stack", unit);
    for (const auto& p : notes) {
      if (pids[i] == 0u && p.tid == static_cast<std::uint32_t>(-cpu.id - 1)) give(cpu, p);
      if (pids[i] != p.tid) continue;
      const auto sp = p.registers.values.at(7);
      constexpr std::uint64_t most = 32u << 10;  // THREAD_SIZE, with KASAN
      if (p.tid != 0 || (stack && sp >= *stack && sp < *stack + most)) give(cpu, p);
    }
  }
}

}  // namespace

std::optional<std::uint64_t> linux_per_cpu(const KernelView& view, const LinuxCpu& cpu,
                                           std::string_view name) {
  if (const auto own = view.symbol(name)) return own->address + cpu.per_cpu;
  const auto hot = view.symbol("pcpu_hot");
  const auto member = view.member("pcpu_hot", name, core_unit);
  if (!hot || !member) return std::nullopt;
  return hot->address + member->offset + cpu.per_cpu;
}

std::vector<LinuxCpu> linux_cpu_states(const KernelView& view, bool with_registers) {
  std::vector<LinuxCpu> cpus;
  // Those that panic() stopped are not online any more.
  const auto mask = view.symbol("__cpu_present_mask"), offsets = view.symbol("__per_cpu_offset");
  if (!mask || !offsets) return cpus;
  for (std::uint64_t i = 0; i < std::min({mask->size * 8, offsets->size / 8, max_cpus}); ++i) {
    const auto bits = view.number(mask->address + i / 64 * 8);
    if (!bits) break;
    if (!(*bits >> (i % 64) & 1)) continue;
    LinuxCpu cpu;
    cpu.id = static_cast<int>(i);
    const auto offset = view.number(offsets->address + i * 8);
    if (!offset) continue;
    cpu.per_cpu = *offset;
    const auto at = linux_per_cpu(view, cpu, "current_task");
    const auto current = at ? view.number(*at) : std::nullopt;
    if (!current || !*current) continue;
    cpu.current = *current;
    cpus.push_back(cpu);
  }
  if (with_registers) give_registers(view, cpus);
  return cpus;
}

int linux_panic_cpu(const KernelView& view) {
  const auto cpu = view.variable("panic_cpu", 4);
  return cpu && *cpu < max_cpus ? static_cast<int>(*cpu) : -1;  // PANIC_CPU_INVALID is -1
}

int linux_tid(std::uint64_t pid, int cpu) {
  return pid == 0 && cpu > 0 ? -cpu - 1 : static_cast<std::int32_t>(pid);
}

std::vector<CoreCpu> linux_cpus(const KernelView& view) {
  std::vector<CoreCpu> list;
  for (const auto& cpu : linux_cpu_states(view, false)) {
    CoreCpu c{.id = cpu.id, .tid = -1};
    if (const auto pid = view.number(cpu.current, "task_struct", "pid", unit))
      c.tid = linux_tid(*pid, cpu.id);
    list.push_back(c);
  }
  return list;
}

}  // namespace kdev::guest
