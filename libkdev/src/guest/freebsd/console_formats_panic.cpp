// Formats of panic() in kern/kern_shutdown.c. Most messages name themselves: rows of their own are for those
// that carry what differs from one crash to the next and is neither a number nor an address.
#include "guest/freebsd/console_formats.hpp"

namespace kdev::guest {

std::vector<CrashFormat> freebsd_ignored_formats() {
  using Role = CrashFormat::Role;
  return {
      // A program in Go died, not the kernel.
      {.kind = "", .start = R"(panic: (?:runtime error: |.{0,512}\[recovered\]))", .role = Role::ignore},
      // WITNESS has said why (debug.witness.kdb).
      {.kind = "witness", .start = R"(KDB: enter: witness_)", .role = Role::ignore},
  };
}

std::vector<CrashFormat> freebsd_panic_formats() {
  using Role = CrashFormat::Role;
  // Names of the message's own origin are of no use to `function`: it comes from the trace.
  const auto row = [](std::string_view pattern, std::string_view title, std::string_view type = "DoS") {
    return TitleRule{.pattern = pattern, .title = title, .type = type, .function = {"pc", "trace"}};
  };
  return {
      {.kind = "panic",
       .start = R"(panic: \S)",
       .role = Role::follow,
       .titles =
           {
               // kasan_report in kern/subr_asan.c, kmsan_report_hook in kern/subr_msan.c
               row(R"(^panic: ASan: Invalid access, (\d+)-byte (read|write) at )",
                   "panic: ASan: Invalid access, {1}-byte {2} in {function}"),
               row(R"(^panic: MSan: Uninitialized (\w+ )?memory)",
                   "panic: MSan: Uninitialized {1:raw}memory in {function}"),
               // UBSan: "in FILE:LINE:COLUMN, what"
               row(R"(^panic: UBSan: Undefined Behavior in )",
                   "panic: UBSan: Undefined Behavior in {function}"),
               // vm/uma_dbg.c
               row(R"(^panic: (Memory modified after free))", "panic: {1}"),
               row(R"(^panic: (Duplicate (?:free|alloc)|Invalid free) of (?:item )?(?:0x)?[0-9a-f]+ (?:from|to) zone (?:0x)?[0-9a-f]+\(([^)\n]*)\))",
                   "panic: {1} of ADDR from zone {2:raw}"),
               row(R"(^panic: (Most recently used by \S.*?)\s*$)", "panic: {1}"),
               // kern/kern_clock.c: "%s: possible deadlock detected for %p (%s), blocked for %d ticks"
               row(R"(^panic: (\w+: possible deadlock detected(?: on \w+)?))", "panic: {1}", "HANG"),
               // sys/queue.h under QUEUE_MACRO_DEBUG_TRASH, INVARIANTS: "Bad link elm %p next->prev != elm"
               row(R"(^panic: (Bad (?:link|list|tailq) .*?)\s*$)", "panic: {1}"),
               // ufs/ffs/ffs_vnops.c: "ffs_write: type %p %d (%d,%d)"
               row(R"(^panic: (ffs_(?:read|write)): type (?:0x)?[0-9a-f]+ \d+ \(-?\d+,-?\d+\))",
                   "panic: {1}: type ADDR X (Y,Z)"),
               // kern/uipc_sockbuf.c: "%s: ccc %u mb %p mbcnt %u"
               row(R"(^panic: (sbflush\w*): ccc \d+ mb (?:0x)?[0-9a-f]+ mbcnt \d+)",
                   "panic: {1}: residual data"),
               // netpfil/pf/pf_if.c: "%s: dyn is %p"
               row(R"(^panic: (\w+): dyn is (?:0x)?[0-9a-f]+)", "panic: {1}: non-NULL dyn"),
               // netinet/sctp_ss_functions.c, sctp_pcb.c: "No chunks on the queues for sid %u."
               row(R"(^panic: No chunks on the queues for sid \d+)", "panic: sctp: no chunks on the queues"),
               row(R"(^panic: (\S.*?)[ .]*$)", "panic: {1}"),
               {.pattern = {}, .title = "panic", .type = "DoS", .corrupted = true},
           }},
      // Somebody called the debugger: it waits until it is told to go on.
      {.kind = "debugger",
       .start = R"(KDB: enter: \S)",
       .role = Role::follow,
       .titles = {{.pattern = R"(^KDB: enter: (\S.*?)[ .]*$)",
                   .title = "KDB: enter: {1}",
                   .function = {"pc", "trace"}}}},
  };
}

}  // namespace kdev::guest
