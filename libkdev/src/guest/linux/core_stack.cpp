// Where stacks of a Linux kernel on x86-64 go on behind its assembly code.
#include <array>

#include "guest/linux/core_facts.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view unit = "arch/x86/kernel/process.c";

struct Named {
  std::string_view name;
  int number;
};
/// struct pt_regs; DWARF numbers.
constexpr std::array<Named, 16> members{{{"ax", 0},
                                         {"dx", 1},
                                         {"cx", 2},
                                         {"bx", 3},
                                         {"si", 4},
                                         {"di", 5},
                                         {"bp", 6},
                                         {"sp", 7},
                                         {"r8", 8},
                                         {"r9", 9},
                                         {"r10", 10},
                                         {"r11", 11},
                                         {"r12", 12},
                                         {"r13", 13},
                                         {"r14", 14},
                                         {"r15", 15}}};

}  // namespace

/// arch/x86/entry/entry_64.S and entry_64_compat.S: struct pt_regs is on top of the stack where these call C.
/// Entries of exceptions and interrupts are called asm_NAME since 5.8.
bool linux_trap_entry(std::string_view f) {
  static constexpr std::array<std::string_view, 28> names{"ret_from_fork",
                                                          "ret_from_fork_asm",
                                                          "ret_from_intr",
                                                          "common_interrupt_return",
                                                          "end_repeat_nmi",
                                                          "nmi",
                                                          "page_fault",
                                                          "async_page_fault",
                                                          "general_protection",
                                                          "double_fault",
                                                          "invalid_op",
                                                          "divide_error",
                                                          "overflow",
                                                          "bounds",
                                                          "debug",
                                                          "int3",
                                                          "device_not_available",
                                                          "stack_segment",
                                                          "segment_not_present",
                                                          "invalid_TSS",
                                                          "alignment_check",
                                                          "machine_check",
                                                          "simd_coprocessor_error",
                                                          "apic_timer_interrupt",
                                                          "reschedule_interrupt",
                                                          "call_function_interrupt",
                                                          "call_function_single_interrupt",
                                                          "common_interrupt"};
  for (const auto name : names)
    if (f == name) return true;
  return f.starts_with("asm_exc_") || f.starts_with("asm_sysvec_") || f.starts_with("asm_common_interrupt") ||
         f.starts_with("asm_spurious_interrupt") || f.starts_with("asm_fred_") ||
         f.starts_with("entry_SYSCALL_") || f.starts_with("entry_SYSENTER_") || f.starts_with("entry_INT80_");
}

std::optional<Registers> linux_trap_registers(const KernelView& view, std::uint64_t regs) {
  const auto number = [&](std::string_view name) { return view.number(regs, "pt_regs", name, unit); };
  const auto pc = number("ip"), cs = number("cs");
  // A kernel thread begins with an empty one.
  if (!pc || !cs || *cs == 0 || (*cs & 3)) return std::nullopt;
  Registers r;
  r.pc = *pc;
  for (const auto& [name, dwarf] : members)
    if (const auto value = number(name)) r.values[dwarf] = *value;
  if (!linux_kernel_address(r.values[7])) return std::nullopt;
  return r;
}

/// Interrupts run on a stack of the CPU's, whose topmost word is the stack pointer before (call_on_stack() in
/// arch/x86/include/asm/irq_stack.h).
std::optional<std::uint64_t> linux_switched_stack(const KernelView& view, std::uint64_t sp) {
  constexpr std::uint64_t page = 4096;
  if ((sp + 8) % page != 0) return std::nullopt;
  for (const auto& cpu : linux_cpu_states(view, false)) {
    const auto at = linux_per_cpu(view, cpu, "hardirq_stack_ptr");
    if (!at || view.number(*at) != sp) continue;
    const auto before = view.number(sp);
    if (before && linux_kernel_address(*before)) return before;
  }
  return std::nullopt;
}

}  // namespace kdev::guest
