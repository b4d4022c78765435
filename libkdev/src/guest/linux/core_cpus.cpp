// A Linux kernel's processors: what ran on each, and its registers.
#include <algorithm>
#include <array>
#include <cstring>

#include "guest/linux/core_facts.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view unit = "init/init_task.c", core_unit = "kernel/sched/core.c";
constexpr std::uint64_t max_cpus = 8192;  // the most of CONFIG_NR_CPUS on x86

/// struct elf_prstatus (include/linux/elfcore.h) of x86-64: pr_pid, then pr_reg (struct user_regs_struct).
struct Prstatus {
  std::uint32_t pid = 0;
  Registers registers;
  bool user_mode = false;
};
constexpr std::size_t pid_at = 32, registers_at = 112, prstatus_size = 336;
/// Of user_regs_struct in its order: DWARF numbers; -1: none.
constexpr std::array<int, 20> dwarf{15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, -1, -1, -1, 7};
constexpr std::size_t ip = 16, cs = 17;

std::vector<Prstatus> prstatus_notes(const CoreMemory& memory) {
  std::vector<Prstatus> list;
  for (const auto& note : memory.notes()) {
    if (note.name != "CORE" || note.type != 1 || note.data.size() < prstatus_size) continue;  // NT_PRSTATUS
    Prstatus p;
    std::array<std::uint64_t, dwarf.size()> values{};
    std::memcpy(&p.pid, note.data.data() + pid_at, sizeof(p.pid));
    std::memcpy(values.data(), note.data.data() + registers_at, sizeof(values));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (dwarf[i] >= 0) p.registers.values[dwarf[i]] = values[i];
    p.registers.pc = values[ip];
    p.user_mode = (values[cs] & 3) != 0;
    list.push_back(std::move(p));
  }
  return list;
}

/// A machine writes one for each CPU, whose number plus one is its pid. A kernel that dumps itself writes the
/// task's pid, and none for a CPU that was not stopped: pids tell which it is, of an idle one's, which is 0,
/// the stack.
void give_registers(const KernelView& view, std::vector<LinuxCpu>& cpus) {
  auto notes = prstatus_notes(view.memory());
  const auto give = [](LinuxCpu& cpu, const Prstatus& p) {
    cpu.user_mode = p.user_mode;
    if (!p.user_mode) cpu.registers = p.registers;
  };
  if (view.memory().made_by_machine()) {
    for (auto& cpu : cpus)
      for (const auto& p : notes)
        if (p.pid == static_cast<std::uint32_t>(cpu.id) + 1) give(cpu, p);
    return;
  }
  for (auto& cpu : cpus) {
    const auto pid = view.number(cpu.current, "task_struct", "pid", unit);
    const auto stack = view.number(cpu.current, "task_struct", "stack", unit);
    for (const auto& p : notes) {
      if (!pid || p.pid != *pid) continue;
      const auto sp = p.registers.values.at(7);
      constexpr std::uint64_t most = 32u << 10;  // THREAD_SIZE, with KASAN
      if (*pid != 0 || (stack && sp >= *stack && sp < *stack + most)) give(cpu, p);
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
