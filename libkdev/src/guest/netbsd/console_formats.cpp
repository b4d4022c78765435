// Formats of vpanic() in kern/subr_prf.c and its callers: kern_assert(), trap() in the machines' trap.c,
// kern/subr_lockdebug.c, lib/libkern's kASan, kMSan, kCSan and UBSan.
#include "guest/netbsd/console_formats.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view lock_helpers =
    R"((?:mutex|rw|lockdebug|cv|spin|kernel)_\w+|lockdebug\w*|_kernel_\w+|LOCKDEBUG\w*|s?n?printf)";

}  // namespace

std::vector<CrashFormat> netbsd_console_formats() {
  using Role = CrashFormat::Role;
  return {
      // The debugger was called; why has been said before.
      {.kind = "", .start = R"(fatal breakpoint trap)", .role = Role::ignore},
      {.kind = "panic",
       .start = R"((?:panic: )?UBSan: Undefined Behavior in )",
       .role = Role::follow,
       .titles = {{.pattern = R"(^panic: UBSan: (?s:.*?)\(\) at netbsd:)",
                   .title = "UBSan: Undefined Behavior in {function}",
                   .function = {"trace"}},
                  {.pattern = {}, .title = "UBSan: Undefined behavior"}}},
      {.kind = "panic",
       .start = R"(panic: )",
       .role = Role::follow,
       .titles =
           {
               {.pattern = R"re(^panic: kernel \w* ?assertion "(.+)" failed: )re",
                .title = "assert failed: {1}",
                .function = {"trace"}},
               {.pattern =
                    R"(^panic: (?:lock error|LOCKDEBUG|(?:Mutex|Reader / writer lock|Kernel lock|RW lock) error): )",
                .title = "lock error in {function}",
                .function = {"trace"},
                .skip = lock_helpers},
               {.pattern = R"(^panic: (?:ASan|kASan): Unauthorized Access)",
                .title = "ASan: Unauthorized Access in {function}",
                .function = {"trace"}},
               {.pattern = R"(^panic: MSan: Uninitialized)",
                .title = "MSan: Uninitialized Memory in {function}",
                .function = {"trace"}},
               {.pattern = R"(^panic: CSan: Racy Access)",
                .title = "CSan: Racy Access in {function}",
                .function = {"trace"}},
               {.pattern = R"(^panic: trap\s*$)", .title = "trap in {function}", .function = {"trace"}},
               {.pattern = R"(^panic: (\S.*?)\s*$)",
                .title = "panic: {1}",
                .type = "DoS",
                .function = {"trace"}},
               {.pattern = {}, .title = "panic", .type = "DoS", .corrupted = true},
           }},
      {.kind = "trap",
       .start = R"(fatal [a-z /-]+ (?:trap |fault )?in supervisor mode|uvm_fault\()",
       .titles = {{.pattern = R"(^fatal ([a-z /-]+?) in supervisor mode(?s:.*?)Stopped (?:in pid|at))",
                   .title = "{1} in {function}",
                   .function = {"pc:raw", "trace"}},
                  {.pattern = R"(^fatal ([a-z /-]+?) in supervisor mode)",
                   .title = "{1} in {function}",
                   .function = {"trace"}},
                  {.pattern = R"(^uvm_fault\()",
                   .title = "page fault in {function}",
                   .function = {"pc:raw", "trace"}}}},
      {.kind = "kmsan",
       .start = R"((?:ASan: Unauthorized Access|MSan: Uninitialized|CSan: Racy Access))",
       .survives = true,
       .titles = {{.pattern = R"(^ASan:)",
                   .title = "ASan: Unauthorized Access in {function}",
                   .function = {"trace"}},
                  {.pattern = R"(^MSan:)",
                   .title = "MSan: Uninitialized Memory in {function}",
                   .function = {"trace"}},
                  {.pattern = {}, .title = "CSan: Racy Access in {function}", .function = {"trace"}}}},
  };
}

FunctionRules netbsd_function_rules() {
  FunctionRules rules;
  rules.helpers = {
      R"(v?panic|kern_assert|breakpoint|db_\w+|Debugger|cpu_reboot|kern_reboot|isAlreadyReported|ch_voltag_convert_in|printf_nolog|s?n?printf|device_printf)",
      R"(Handle\w+|__ubsan\w*|ubsan_\w+|__asan_\w+|kasan_\w+|__msan_\w+|kmsan_\w+|__csan_\w+|kcsan_\w+|__sanitizer\w*|\w*mem(?:cpy|set|move|cmp)|str(?:n|l)?(?:cpy|cat|len|cmp)|k?copy(?:in|out)\w*)",
      R"(lockdebug_\w+|mutex_\w+|rw_\w+|cv_\w+|_?kernel_(?:un)?lock\w*|LOCKDEBUG\w*|turnstile_\w+|sleepq_\w+|mi_switch)",
      R"(kmem_\w+|pool_\w+|uvm_km_\w+|m_(?:get\w*|free\w*)|malloc|free|vmem_\w+)",
      R"(trap|alltraps|calltrap|syscall|sys___syscall|X\w*|lwp_trampoline|softint_\w+|intr_\w+|handle_syscall)",
  };
  rules.dispatchers = {R"(syscall|sys___syscall|lwp_trampoline|softint_dispatch|workqueue_worker)"};
  rules.renames = {{R"((.+?)\.(?:isra|constprop|part|cold|llvm)\b.*)", R"(\1)", false}};
  return rules;
}

}  // namespace kdev::guest
