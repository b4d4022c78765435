#pragma once
#include <kdev/crash.hpp>
#include <optional>
#include <string_view>

namespace kdev::guest {

/// A line of a stack trace, or nothing:
///   "vpanic() at vpanic+0x17f/frame 0xfffffe0012345678"   db_print_stack_entry, */*/db_trace.c
///   "#1 0xffffffff80a6bb76 at vpanic+0x186"               stack_print_ddb, kern/subr_stack.c
std::optional<StackFrame> parse_freebsd_frame(std::string_view text);

/// "vpanic+0x17f" -> frame without address. `text` must be that alone.
std::optional<StackFrame> parse_freebsd_symbol(std::string_view text);

/// What a trace goes through: db_nextframe, */*/db_trace.c.
struct TrapLine {
  enum class Kind {
    trap,       ///< "--- trap 0xc, rip = ..., rsp = ..., rbp = ... ---", "--- exception, esr 0x96000004"
    interrupt,  ///< "--- interrupt, rip = ..."
    syscall,    ///< "--- syscall (1, FreeBSD ELF64, sys_sys_exit), rip = ..."
  } kind;
  std::uint64_t pc = 0;  ///< where it came from; 0: not printed, or a thread's beginning
};
std::optional<TrapLine> parse_freebsd_trap_line(std::string_view text);

}  // namespace kdev::guest
