// A kernel of amd64: sys/amd64/include/pcb.h, sys/x86/include/frame.h.
#include <array>

#include "guest/freebsd/core_machine.hpp"
#include "guest/freebsd/core_minidump.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view shutdown = "kern/kern_shutdown.c", trap = "amd64/amd64/trap.c";

// DWARF numbers of x86-64 (its ABI, figure 3.36).
struct Named {
  std::string_view name;
  int number;
};
constexpr int rsp = 7;
constexpr std::array<Named, 7> pcb_registers{{{"pcb_rbx", 3},
                                              {"pcb_rbp", 6},
                                              {"pcb_rsp", rsp},
                                              {"pcb_r12", 12},
                                              {"pcb_r13", 13},
                                              {"pcb_r14", 14},
                                              {"pcb_r15", 15}}};
constexpr std::array<Named, 16> trap_members{{{"tf_rax", 0},
                                              {"tf_rdx", 1},
                                              {"tf_rcx", 2},
                                              {"tf_rbx", 3},
                                              {"tf_rsi", 4},
                                              {"tf_rdi", 5},
                                              {"tf_rbp", 6},
                                              {"tf_rsp", rsp},
                                              {"tf_r8", 8},
                                              {"tf_r9", 9},
                                              {"tf_r10", 10},
                                              {"tf_r11", 11},
                                              {"tf_r12", 12},
                                              {"tf_r13", 13},
                                              {"tf_r14", 14},
                                              {"tf_r15", 15}}};

bool is_trap_entry(std::string_view f) {
  // db_nextframe() in amd64/amd64/db_trace.c; entries of interrupts and exceptions begin with an X.
  static constexpr std::array<std::string_view, 6> names{
      "calltrap", "nmi_calltrap", "mchk_calltrap", "fork_trampoline", "fast_syscall_common", "alltraps"};
  for (const auto name : names)
    if (f == name) return true;
  return f.size() > 2 && f[0] == 'X' && f[1] >= 'a' && f[1] <= 'z';
}

/// The stack pointer is at the return address.
std::optional<Registers> saved(const KernelView& view, std::uint64_t pcb) {
  Registers r;
  const auto pc = view.number(pcb, "pcb", "pcb_rip", shutdown);
  if (!pc || !freebsd_amd64.is_kernel_address(*pc)) return std::nullopt;
  r.pc = *pc;
  r.pc_is_return = freebsd_has_run(view, r.pc);
  for (const auto& [name, number] : pcb_registers)
    if (const auto value = view.number(pcb, "pcb", name, shutdown)) r.values[number] = *value;
  if (const auto sp = r.values.find(rsp); sp != r.values.end()) sp->second += 8;
  return r;
}

std::optional<Registers> trapped(const KernelView& view, const Registers&, std::uint64_t frame) {
  const auto number = [&](std::string_view name) { return view.number(frame, "trapframe", name, trap); };
  const auto pc = number("tf_rip"), cs = number("tf_cs");
  if (!pc || !cs || (*cs & 3)) return std::nullopt;  // user mode
  Registers r;
  r.pc = *pc;
  for (const auto& [name, dwarf] : trap_members)
    if (const auto value = number(name)) r.values[dwarf] = *value;
  // A thread that never ran in user mode begins with an empty one; a call of what is no code stops at once,
  // too.
  if (!freebsd_amd64.is_kernel_address(*pc) && !freebsd_amd64.is_kernel_address(r.values[rsp]))
    return std::nullopt;
  return r;
}

}  // namespace

const FreebsdMachine freebsd_amd64{.arch = "x86_64",
                                   .kernel_half = 0xffff800000000000,
                                   .open_minidump = open_amd64_minidump,
                                   .is_trap_entry = is_trap_entry,
                                   .saved = saved,
                                   .trapped = trapped};

}  // namespace kdev::guest
