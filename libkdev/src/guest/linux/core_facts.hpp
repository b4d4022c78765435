#pragma once
// What a dump says of a Linux kernel, by its structures.
#include "guest/core_rules.hpp"

namespace kdev::guest {

// core_place.cpp
std::optional<KernelPlace> linux_place(const CoreMemory& memory, const KernelView* view);
constexpr bool linux_kernel_address(std::uint64_t a) {
  return a >= 0xff00000000000000;  // the upper half, with five levels (arch/x86/x86_64/mm.rst)
}

// core_messages.cpp
/// As dmesg prints them, with who said it: "[    1.083425][   T31] sysrq: Trigger a crash".
std::string linux_messages(const CoreMemory& memory, const KernelView* view);
std::vector<CoreMessage> linux_message_list(const CoreMemory& memory, const KernelView* view);

// core_facts.cpp
std::string linux_panic(const KernelView& view);
std::optional<double> linux_uptime(const KernelView& view);
std::vector<ModuleState> linux_modules(const KernelView& view, std::vector<std::string>& notes);

/// Where struct module is known: the end of a source file's name.
std::string_view linux_module_unit(const KernelView& view);
/// The struct module whose code is at the address.
std::optional<std::uint64_t> linux_module_at(const KernelView& view, std::uint64_t address);

// core_orc.cpp
std::optional<Unwound> linux_orc(const KernelView& view, const Registers& registers);

// core_cpus.cpp
struct LinuxCpu {
  int id = 0;
  std::uint64_t per_cpu = 0;             ///< to be added to a per-CPU variable's address
  std::uint64_t current = 0;             ///< struct task_struct
  std::optional<Registers> registers{};  ///< when the machine stopped; nothing: not in the dump
  bool user_mode = false;                ///< it ran a program
};
/// `with_registers`: also looked for in the dump's notes.
std::vector<LinuxCpu> linux_cpu_states(const KernelView& view, bool with_registers);
/// The one that called panic(); -1: none did.
int linux_panic_cpu(const KernelView& view);
/// Address of a variable of the CPU's: by its own name, or as a member of pcpu_hot (6.2 to 6.14).
std::optional<std::uint64_t> linux_per_cpu(const KernelView& view, const LinuxCpu& cpu,
                                           std::string_view name);
std::vector<CoreCpu> linux_cpus(const KernelView& view);
/// Linux gives all idle tasks 0: that of CPU n > 0 is -n-1 here, as -1 stands for none.
int linux_tid(std::uint64_t pid, int cpu);

// core_threads.cpp
std::vector<ThreadState> linux_threads(const KernelView& view, std::vector<std::string>& notes);

// core_locks.cpp
std::vector<CoreLock> linux_locks(const KernelView& view, const std::vector<ThreadState>& threads,
                                  const StackSource& stacks);
bool linux_scheduler(const KernelView& view, std::uint64_t pc);

// core_stack.cpp
bool linux_trap_entry(std::string_view function);
std::optional<Registers> linux_trap_registers(const KernelView& view, std::uint64_t sp);
std::optional<std::uint64_t> linux_switched_stack(const KernelView& view, std::uint64_t sp);

// core_written.cpp
std::vector<CoreNote> linux_self_notes(const CoreMemory& memory, const KernelView* view,
                                       const KernelPlace* place);
std::optional<KdumpHeader> linux_kdump_header(const CoreMemory& memory, const KernelView* view,
                                              const KernelPlace* place);

// core_pages.cpp
std::optional<std::vector<MemoryRange>> linux_pages_of(const KernelView& view,
                                                       const std::vector<PageKind>& what,
                                                       const Deadline& deadline);

}  // namespace kdev::guest
