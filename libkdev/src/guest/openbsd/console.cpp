// OpenBSD is no guest of kdev's: its consoles can be read all the same.
#include "guest/ddb_console.hpp"
#include "guest/lasting.hpp"
#include "guest/openbsd/console_formats.hpp"

namespace kdev::guest {
namespace {

// db_stack_trace_print() in ddb, panic() in kern/subr_prf.c, boot() in the machines' machdep.c.
const DdbConsole openbsd{
    .report =
        {
            .known =
                R"re(^(?:panic: |kernel: |uvm_fault\(|witness: | 1st | 2nd | 3rd |lock order |\s+TID\s+PID|[* ]\s*\d+\s+\d+\s+\d+\s+(?:0x)?[0-9a-f]+\s|end of kernel|Starting stack trace|the kernel did not panic|(?:exclusive|shared) \S+ \S+ r = |ds\s|r[a-z0-9]{1,2}\s{2,}))re",
            .end = R"(^(?:end trace frame: |End of stack trace|https://www\.openbsd\.org/ddb\.html))",
            .reboot =
                R"(^(?:OpenBSD \d+\.\d|>> OpenBSD/\S+ BOOT|rebooting\.\.\.|SeaBIOS|syncing disks\.\.\.|probing: pc0))",
        },
    .marks =
        R"(^Stopped at\s|^ddb(?:\{\d+\})?> |OpenBSD|openbsd\.org|^end trace frame: |^uvm_fault\(0x|^witness: |^kernel: [a-z ]+ trap, code=|\) at \w+\+0x[0-9a-f]+(?:$| )|^panic: |^splassert: |kernel (?:diagnostic|debugging) assertion)",
    .fatal = R"(^(?:panic: |kernel: [a-z ]+ trap, code=|Stopped at\s|ddb(?:\{\d+\})?> |rebooting\.\.\.))",
    .prefix = R"(^(?:<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,64} /bsd: |(?:\S{0,64} ?)?login: ))",
    .preamble = R"(^(?:uvm_fault\(|witness: |cleaned vnode: |splassert: ))",
};

struct OpenbsdConsoleRules final : DdbConsoleRules {
  OpenbsdConsoleRules() : DdbConsoleRules(openbsd, openbsd_console_formats(), openbsd_function_rules()) {}
};

}  // namespace

const ConsoleRules& openbsd_console_rules() {
  return lasting<OpenbsdConsoleRules>();
}

}  // namespace kdev::guest
