// Formats of panic() and its callers: __assert() in lib/libkern, trap() in the machines' trap.c,
// kern/subr_witness.c, kern/subr_pool.c, kern/kern_malloc.c, kern/kern_event.c, kern/uipc_socket.c,
// kern/subr_kasan.c.
#include "guest/openbsd/console_formats.hpp"

namespace kdev::guest {
namespace {

CrashFormat trap(std::string_view start, std::string_view titled, std::string_view bare) {
  return {
      .kind = "trap",
      .start = start,
      .role = CrashFormat::Role::follow,
      .titles = {{.pattern = R"(^\S{0,2}Stopped at\s+[A-Za-z_])", .title = titled, .function = {"pc:raw"}},
                 {.pattern = {}, .title = bare, .corrupted = true}}};
}

}  // namespace

std::vector<CrashFormat> openbsd_console_formats() {
  using Role = CrashFormat::Role;
  return {
      {.kind = "panic",
       .start = R"(panic:)",
       .role = Role::follow,
       .titles =
           {
               {.pattern =
                    R"re(^panic: kernel \w* ?assertion "(.+)" failed: file "(?:[^"\n]*/)?([^"/\n]+)")re",
                .title = "assert \"{1:raw}\" failed in {2:raw}",
                .function = {"trace"}},
               {.pattern = R"(^panic: Data modified on freelist: word .* previous type (\S+) \()",
                .title = "malloc: free list modified: {1}",
                .function = {"trace"}},
               {.pattern = R"(^panic: (?:\w+: )?(\S+?):? cpu free list modified: )",
                .title = "pool: cpu free list modified: {1}",
                .function = {"trace"}},
               {.pattern = R"(^panic: (?:\w+: )?(\S+?):? free list modified: )",
                .title = "pool: free list modified: {1}",
                .function = {"trace"}},
               {.pattern = R"(^panic: (?:\w+: )?(\S+?): (?:double pool_put|page empty|corrupt))",
                .title = "pool: double put: {1}",
                .function = {"trace"}},
               {.pattern = R"(^panic: \w+:\d+: kq=\S+ (?:\w+=\S+ )*(\S.*?)\s*$)",
                .title = "kqueue: {1}",
                .function = {"trace"}},
               {.pattern = R"(^panic: (?:so)?receive (\w+): so )",
                .title = "soreceive {1:raw}",
                .function = {"trace"}},
               // Also as ddb's "show panic" repeats it.
               {.pattern = R"(^(?:panic: |\*?cpu\d+: )Caught invalid memory access at )",
                .title = "KASAN: invalid memory access in {function}",
                .type = "KASAN-UNKNOWN",
                .function = {"trace", "traces"}},
               {.pattern = R"(^panic: attempt to (execute|access) user address )",
                .title = "panic: attempt to {1} user address",
                .type = "DoS",
                .function = {"trace"}},
               // WITNESS panics after it has said what is wrong.
               {.pattern = R"(^witness: thread \S+ exiting with the following locks held)",
                .title = "witness: thread exiting with locks held",
                .function = {"trace"}},
               // CPUs that panic at once write over each other: the function says it once more.
               {.pattern = R"(^(vop_generic_badop)\()",
                .title = "panic: {1}",
                .type = "DoS",
                .function = {"trace"}},
               // Assertions that end early: the console was cut off.
               {.pattern = R"(^panic: (kernel \w* ?assertion .*?)\s*$)",
                .title = "panic: {1}",
                .type = "DoS",
                .function = {"trace"},
                .corrupted = true},
               {.pattern = R"(^panic: (\S.*?)(?: \(-?\d+\))(.*?)\s*$)",
                .title = "panic: {1}{2}",
                .type = "DoS",
                .function = {"trace"}},
               {.pattern = R"(^panic: (\S.*?)(?: -?\d+)?\s*$)",
                .title = "panic: {1}",
                .type = "DoS",
                .function = {"trace"}},
               {.pattern = {}, .title = "panic", .type = "DoS", .corrupted = true},
           }},
      trap(R"(uvm_fault\(|kernel: page fault trap, code=)", "uvm_fault: {function}", "uvm_fault"),
      trap(R"(kernel: protection fault trap, code=)", "protection_fault: {function}", "protection_fault"),
      trap(R"(kernel: double fault trap, code=)", "double_fault: {function}", "double_fault"),
      trap(
          R"(kernel: (?:privileged instruction fault|integer divide fault|alignment fault|reserved) trap, code=)",
          "kernel trap: {function}", "kernel trap"),
      {.kind = "witness",
       .start = R"(witness: )",
       .titles =
           {
               {.pattern = R"(^witness: lock order reversal:(?s:.*?)lock order data .* missing)",
                .title = "witness: reversal: lock order data missing",
                .function = {"trace:^Stack", "trace"}},
               {.pattern =
                    R"(^witness: lock order reversal:\s*\n\s*1st \S+ (\S+)(?: \(.*\))?\s*\n\s*2nd \S+ (\S+))",
                .title = "witness: reversal: {1} {2}",
                .function = {"trace"}},
               {.pattern = R"(^witness: thread \S+ exiting with the following locks held)",
                .title = "witness: thread exiting with locks held",
                .function = {"trace"}},
               {.pattern = R"(^witness: (\S.*?)\s*$)", .title = "witness: {1}", .function = {"trace"}},
           }},
      {.kind = "splassert",
       .start = R"(splassert: \w+: want )",
       .survives = true,
       .titles = {{.pattern = R"(^splassert: (\w+): want )",
                   .title = "splassert: {1}",
                   .function = {"1:raw"}}}},
  };
}

FunctionRules openbsd_function_rules() {
  FunctionRules rules;
  rules.helpers = {
      R"(db_enter|panic|__assert|Debugger|db_\w+|boot|reboot|dosoftint)",
      R"(__asan_\w+|kasan_\w+|__ubsan\w*|__sanitizer\w*|mem(?:cpy|set|move|cmp)|bcopy|bzero|k?copy(?:in|out)\w*|_?copy(?:in|out)\w*|str(?:n|l)?(?:cpy|cat|len|cmp))",
      R"(witness_\w+|(?:_?rw|_?rrw|__?mtx|mtx|lockmgr)_\w+|rw_\w+|_?kernel_(?:un)?lock\w*|intr_\w+|assertwaitok|tsleep\w*|msleep\w*|rwsleep\w*|sleep_\w+|mi_switch)",
      R"(malloc|free|mallocarray|pool_\w+|m_(?:get\w*|free\w*|clget|pool_\w+)|km_\w+|refcnt_\w+)",
      R"(vop_generic_\w+|kqueue_do_check|unhandled_af)",
      R"(savectx|x86_ipi_\w+|cpu_idle_\w+|sched_idle|trap|kerntrap|usertrap|u?k?pageflttrap|calltrap|X\w*|syscall|proc_trampoline|recall_trap|kpageflttrap)",
  };
  rules.dispatchers = {R"(syscall|proc_trampoline|taskq_thread|softclock\w*)"};
  rules.renames = {{R"((.+?)\.(?:isra|constprop|part|cold|llvm)\b.*)", R"(\1)", false}};
  return rules;
}

}  // namespace kdev::guest
