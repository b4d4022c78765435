// A kernel of arm64: sys/arm64/include/pcb.h, frame.h, arm64/arm64/exception.S, swtch.S.
#include <fmt/format.h>

#include "guest/freebsd/core_machine.hpp"
#include "guest/freebsd/core_minidump.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view shutdown = "kern/kern_shutdown.c", trap = "arm64/arm64/trap.c";

// DWARF numbers (DWARF for the Arm 64-bit Architecture, 4.1): X0 to X30 are 0 to 30.
constexpr int first_preserved = 19, fp = 29, lr = 30, sp_number = 31;
/// PSR_M_MASK without its bit for 32-bit code: 0 is EL0, where programs run.
constexpr std::uint64_t exception_level = 0xf;

bool is_trap_entry(std::string_view f) {
  return f.starts_with("handle_el0_") || f.starts_with("handle_el1h_") || f == "handle_serror" ||
         f == "handle_empty_exception" || f == "fork_trampoline";
}

/// Up to 13, pcb_x has all registers by their numbers, and pcb_lr the one behind; since 14 pcb_x begins with
/// x19 and ends with lr.
std::optional<Registers> saved(const KernelView& view, std::uint64_t pcb) {
  const auto all = view.member("pcb", "pcb_x", shutdown);
  const auto sp = view.number(pcb, "pcb", "pcb_sp", shutdown);
  if (!all || !sp) return std::nullopt;
  const auto count = static_cast<int>(std::min<std::uint64_t>(all->size / 8, lr + 1));
  const auto link = view.member("pcb", "pcb_lr", shutdown);
  const int first = link ? 0 : first_preserved;
  if (first + count < (link ? lr : lr + 1)) return std::nullopt;
  Registers r;
  for (int n = first_preserved; n <= lr && n < first + count; ++n)
    if (const auto value = view.number(pcb + all->offset + static_cast<std::uint64_t>(n - first) * 8))
      r.values[n] = *value;
  if (link)
    if (const auto value = view.number(pcb + link->offset)) r.values[lr] = *value;
  const auto pc = r.values.find(lr);
  if (pc == r.values.end() || !freebsd_arm64.is_kernel_address(pc->second)) return std::nullopt;
  r.pc = pc->second;
  r.pc_is_return = freebsd_has_run(view, r.pc);
  r.values.erase(lr);  // where they returned to has one of its own
  r.values[sp_number] = *sp;
  return r;
}

/// save_registers_head leaves x29 right behind the frame; where frame pointers led to the entry, `sp` is
/// anywhere below.
std::uint64_t frame_of(const KernelView& view, const Registers& entry, std::uint64_t sp) {
  constexpr std::uint64_t most_below = 4096;
  const auto size = view.size_of("trapframe", trap);
  const auto x29 = entry.values.find(fp);
  if (!size || x29 == entry.values.end() || x29->second < *size) return sp;
  const auto frame = x29->second - *size;
  return frame >= sp && frame - sp < most_below ? frame : sp;
}

std::optional<Registers> trapped(const KernelView& view, const Registers& entry, std::uint64_t sp) {
  // fork_trampoline clears it: the stack begins there.
  if (const auto x29 = entry.values.find(fp); x29 != entry.values.end() && x29->second == 0)
    return std::nullopt;
  const auto frame = frame_of(view, entry, sp);
  const auto number = [&](std::string_view name) { return view.number(frame, "trapframe", name, trap); };
  const auto pc = number("tf_elr"), state = number("tf_spsr");
  if (!pc || !state || !(*state & exception_level)) return std::nullopt;
  Registers r;
  r.pc = *pc;
  if (const auto all = view.member("trapframe", "tf_x", trap))
    for (int n = 0; n < lr && static_cast<std::uint64_t>(n) < all->size / 8; ++n)
      if (const auto value = view.number(frame + all->offset + static_cast<std::uint64_t>(n) * 8))
        r.values[n] = *value;
  if (const auto value = number("tf_lr")) r.values[lr] = *value;
  if (const auto value = number("tf_sp")) r.values[sp_number] = *value;
  if (!freebsd_arm64.is_kernel_address(r.values[sp_number])) return std::nullopt;
  return r;
}

}  // namespace

const FreebsdMachine freebsd_arm64{.arch = "aarch64",
                                   .kernel_half = 0xffff000000000000,
                                   .open_minidump = open_arm64_minidump,
                                   .is_trap_entry = is_trap_entry,
                                   .saved = saved,
                                   .trapped = trapped};

}  // namespace kdev::guest
