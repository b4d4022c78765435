// Formats of trap_fatal() and dblfault_handler() in amd64/amd64/trap.c (i386's are the same), data_abort() in
// arm64/arm64/trap.c, nmi_call_kdb() in x86/x86/cpu_machdep.c.
#include "guest/freebsd/console_formats.hpp"

namespace kdev::guest {
namespace {

// Memory primitives, and mbuf's: whoever gave them what they stumbled over is guilty.
constexpr std::string_view primitives =
    R"(mem(?:cpy|set|move|cmp)\w*|b(?:copy|zero|cmp)\w*|copy(?:in|out|instr|str)\w*|[fs]u(?:word|byte|eword)\w*|casu\w*|pagecopy|pagezero\w*|m_(?:copy\w*|append|cat\w*|adj|length|apply|pullup|free\w*)|mb_free_ext|strlen|strn?cmp|strn?cpy|strlcpy)";

}  // namespace

std::vector<CrashFormat> freebsd_oops_formats() {
  using Role = CrashFormat::Role;
  return {
      {.kind = "trap",
       .start = R"(Fatal trap \d+: )",
       .role = Role::follow,
       .titles =
           {// A kernel without DDB prints the stack of kern/subr_stack.c.
            {.pattern = R"(^Fatal trap (\d+): (.+? while in \w+ mode)(?s:.*?)^#\d+ 0x[0-9a-f]+ at )",
             .title = "Fatal trap {1}: {2} in {function}",
             .function = {"pc", "trace"},
             .skip = primitives},
            {.pattern = R"(^Fatal trap (\d+): (.+?) while in \w+ mode)",
             .title = "Fatal trap {1}: {2} in {function}",
             .function = {"pc", "trace"},
             .skip = primitives}}},
      {.kind = "double-fault",
       .start = R"(Fatal double fault)",
       .role = Role::follow,
       .titles = {{.pattern = {},
                   .title = "Fatal double fault in {function}",
                   .function = {"recursion", "pc", "trace"},
                   .skip = primitives}}},
      {.kind = "trap",
       .start = R"(Fatal (?:data|instruction) abort:)",
       .role = Role::follow,
       .titles = {{.pattern = R"(^Fatal (data|instruction) abort:)",
                   .title = "Fatal {1} abort in {function}",
                   .function = {"pc", "trace"},
                   .skip = primitives}}},
      {.kind = "nmi",
       .start = R"(NMI(?:/cpu\d+)? \.\.\. going to debugger)",
       .role = Role::follow,
       .titles = {{.pattern = {}, .title = "NMI in {function}", .function = {"pc", "trace"}}}},
  };
}

}  // namespace kdev::guest
