// Formats of arch/x86/mm/fault.c, arch/x86/kernel/{traps,dumpstack}.c, arch/arm*/mm/fault.c,
// arch/riscv/mm/fault.c and lib/bug.c.
#include "guest/linux/console_formats.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view bad_access = "bad-access in {function}";

CrashFormat trap(std::string_view kind, std::string_view start, std::string_view title, bool memory) {
  TitleRule rule{.pattern = {}, .title = title, .type = "DoS", .function = {"pc", "trace"}};
  if (memory) rule.alternatives = {bad_access};
  return {.kind = kind, .start = start, .needs_trace = true, .titles = {rule}};
}

}  // namespace

std::vector<CrashFormat> linux_oops_formats() {
  using Role = CrashFormat::Role;
  return {
      {.kind = "oops",
       .start =
           R"(BUG: unable to handle |BUG: kernel NULL pointer dereference|Unable to handle kernel |BUG: Unable to handle kernel )",
       .needs_trace = true,
       .titles =
           {
               {.pattern =
                    R"(^BUG: kernel NULL pointer dereference|^(?:BUG: )?[uU]nable to handle kernel NULL pointer dereference)",
                .title = "BUG: unable to handle kernel NULL pointer dereference in {function}",
                .type = "NULL-POINTER-DEREFERENCE",
                .alternatives = {bad_access},
                .function = {"pc", "trace"}},
               {.pattern = R"(^Unable to handle kernel access to user memory)",
                .title = "BUG: unable to handle kernel access to user memory in {function}",
                .alternatives = {bad_access},
                .function = {"pc", "trace"}},
               // die_kernel_fault() of arm64 names the kind of access.
               {.pattern =
                    R"(^Unable to handle kernel (write to read-only memory|execute from non-executable memory|read from unreadable memory))",
                .title = "BUG: unable to handle kernel {1} in {function}",
                .type = "MEMORY_SAFETY_BUG",
                .alternatives = {bad_access},
                .function = {"pc", "trace"}},
               {.pattern =
                    R"(^BUG: unable to handle page fault for address|^(?:BUG: )?[uU]nable to handle kernel (?:paging request|data access|instruction fetch|pointer dereference))",
                .title = "BUG: unable to handle kernel paging request in {function}",
                .type = "MEMORY_SAFETY_BUG",
                .alternatives = {bad_access},
                .function = {"pc", "trace"}},
               {.pattern = R"(^BUG: unable to handle kernel)",
                .title = "BUG: unable to handle kernel",
                .corrupted = true},
           }},
      trap("oops", R"((?:Oops: )?general protection fault\b.*(?:\[#\d+\]|:))",
           "general protection fault in {function}", true),
      trap("oops", R"((?:Oops: )?divide error: )", "divide error in {function}", false),
      trap("oops", R"((?:Oops: )?int3: )", "int3 in {function}", false),
      trap("oops", R"((?:Oops: )?stack segment: )", "stack segment fault in {function}", false),
      trap("oops", R"((?:Oops: )?alignment check: )", "alignment check in {function}", false),
      trap("oops", R"((?:Oops: )?segment not present: )", "segment not present in {function}", false),
      trap("oops", R"(Unhandled (?:fault|prefetch abort): )", "Unhandled fault in {function}", true),
      trap("oops",
           R"((?:Oops: )?(?:bounds|overflow|invalid TSS|device not available|coprocessor segment overrun): )",
           "exception in {function}", false),
      {.kind = "double-fault",
       .start = R"(PANIC: double fault|(?:traps: )?PANIC: double fault|double fault: )",
       .needs_trace = true,
       .titles = {{.pattern = {},
                   .title = "PANIC: double fault in {function}",
                   .type = "DoS",
                   .function = {"pc", "trace"}}}},
      {.kind = "stack-overflow",
       .start = R"(BUG: (?:[A-Z#]+ )?stack guard page was hit|BUG: stack guard page was hit)",
       .titles = {{.pattern = {},
                   .title = "BUG: stack guard page was hit in {function}",
                   .alternatives = {"stack-overflow in {function}"},
                   .function = {"recursion", "entry", "trace"},
                   .blame = {"recursion", "pc", "trace"}}}},
      {.kind = "stack-overflow",
       .start = R"(Insufficient stack space to handle exception!)",
       .titles = {{.pattern = {},
                   .title = "kernel stack overflow in {function}",
                   .type = "DoS",
                   .alternatives = {"stack-overflow in {function}"},
                   .function = {"recursion", "entry", "trace"},
                   .blame = {"recursion", "pc", "trace"}}}},
      // panic() in rust/kernel/lib.rs: what core::panic::PanicInfo says, then BUG().
      {.kind = "bug",
       .start = R"(rust_kernel: panicked at )",
       .needs_trace = true,
       .titles = {{.pattern = R"(^rust_kernel: panicked at [^\n']+:\d+:\d+:\n(\S.*?)\s*$)",
                   .title = "{1} in {function}",
                   .function = {"trace"}},
                  {.pattern = R"(^rust_kernel: panicked at '(.*?)', \S+:\d+:\d+)",
                   .title = "{1} in {function}",
                   .function = {"trace"}},
                  {.pattern = {}, .title = "Rust panic in {function}", .function = {"trace"}}}},
      {.kind = "bug",
       .start = R"(kernel BUG at rust/helpers)",
       .role = Role::follow,
       .needs_trace = true,
       .titles = {{.pattern = {},
                   .title = "kernel BUG in {function}",
                   .type = "BUG",
                   .function = {"pc", "trace"}}}},
      {.kind = "bug",
       .start = R"(kernel BUG at )",
       .needs_trace = true,
       .titles =
           {
               {.pattern = R"(^kernel BUG at lib/list_debug\.c)",
                .title = "BUG: corrupted list in {function}",
                .type = "MEMORY_SAFETY_BUG",
                .alternatives = {bad_access},
                .function = {"pc", "trace"}},
               {.pattern = R"(^kernel BUG at mm/usercopy\.c)",
                .title = "BUG: bad usercopy in {function}",
                .type = "BUG",
                .function = {"pc", "trace"}},
               {.pattern = {},
                .title = "kernel BUG in {function}",
                .type = "BUG",
                .function = {"pc", "trace"}},
           }},
      {.kind = "bug",
       .start = R"((?:Oops: )?invalid opcode: )",
       .role = Role::follow,
       .needs_trace = true,
       .titles = {{.pattern = {},
                   .title = "invalid opcode in {function}",
                   .type = "DoS",
                   .function = {"pc", "trace"}}}},
      {.kind = "oops",
       .start = R"(Internal error: )",
       .role = Role::follow,
       .needs_trace = true,
       .titles = {{.pattern = {},
                   .title = "Internal error in {function}",
                   .type = "DoS",
                   .alternatives = {bad_access},
                   .function = {"pc", "trace"}}}},
      {.kind = "oops",
       .start = R"(Oops: |Oops \[#\d+\])",
       .role = Role::follow,
       .needs_trace = true,
       .titles =
           {{.pattern = {}, .title = "Oops in {function}", .type = "DoS", .function = {"pc", "trace"}}}},
  };
}

}  // namespace kdev::guest
