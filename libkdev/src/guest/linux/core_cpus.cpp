// A Linux kernel's processors: what ran on each, and its registers.
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "guest/linux/core_facts.hpp"
#include "guest/prstatus.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view unit = "init/init_task.c", core_unit = "kernel/sched/core.c";
constexpr std::uint64_t max_cpus = 8192;  // the most of CONFIG_NR_CPUS on x86

/// Where a kernel that dumps itself writes a CPU's note, before it is one of the file's (crash_save_cpu() in
/// kernel/kexec_core.c). Nothing: the CPU was not stopped, or the kernel does not dump itself.
std::optional<Prstatus> crash_note(const KernelView& view, const LinuxCpu& cpu) {
  constexpr std::string_view name{"CORE\0\0\0", 8};
  const auto notes = view.variable("crash_notes");
  std::array<char, sizeof(Elf64_Nhdr) + name.size() + prstatus_size> bytes{};
  Elf64_Nhdr header{};
  if (!notes || !*notes || !view.read(*notes + cpu.per_cpu, bytes.data(), bytes.size())) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.n_descsz < prstatus_size || header.n_namesz != 5 ||
      std::memcmp(bytes.data() + sizeof(header), name.data(), name.size()) != 0)
    return std::nullopt;
  return read_prstatus({.name = "CORE",
                        .type = header.n_type,
                        .data = std::string(bytes.data() + sizeof(header) + name.size(), prstatus_size)});
}

/// A machine writes one for each CPU, whose number plus one is its pid. A kernel that dumps itself writes the
/// task's pid, in the order of CPUs, and none for a CPU that was not stopped: which CPU's it is tells the
/// variable that it wrote it to; else pids do, and of an idle task's, which is 0, the stack. In a core file of
/// kdev's all tasks have one, idle ones with pids of their own.
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
  const bool in_order = std::equal(notes.begin(), notes.end(), pids.begin(), pids.end(),
                                   [](const Prstatus& p, const auto& pid) { return pid == p.tid; });
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    auto& cpu = cpus[i];
    if (const auto own = crash_note(view, cpu)) {
      give(cpu, *own);
      continue;
    }
    if (in_order) {
      give(cpu, notes[i]);
      continue;
    }
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
  // The second is of kexec on x86, which is all that there is before 4.5. -1: nobody.
  for (const auto* name : {"panic_cpu", "crashing_cpu"})
    if (const auto cpu = view.variable(name, 4); cpu && *cpu < max_cpus) return static_cast<int>(*cpu);
  return -1;
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
