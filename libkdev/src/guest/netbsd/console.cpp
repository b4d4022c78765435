// NetBSD is no guest of kdev's: its consoles can be read all the same.
#include "guest/ddb_console.hpp"
#include "guest/lasting.hpp"
#include "guest/netbsd/console_formats.hpp"

namespace kdev::guest {
namespace {

// db_stack_trace_print() in ddb, vpanic() in kern/subr_prf.c, cpu_reboot() in the machines' machdep.c.
const DdbConsole netbsd{
    .report =
        {
            .known =
                R"re(^(?:panic: |fatal |trap type |curlwp |kernel: |Stopped in pid |--- (?:syscall|trap|interrupt)|cpu\d+: |[a-z]{2,3}\d{0,2} {2,}|dumping to dev|dump ))re",
            .end = R"(^(?:cpu\d+: End traceback|--- syscall))",
            .reboot =
                R"(^(?:NetBSD \d+\.\d|>> NetBSD/\S+ |rebooting\.\.\.|Copyright \(c\) 1996, 1997|SeaBIOS))",
        },
    .marks =
        R"(\) at netbsd:|: Begin traceback\.\.\.|NetBSD|^(?:\[ *\d+\.\d+\] )?fatal [a-z ]+ in supervisor mode|^Stopped in pid|^\[ {0,4}\d+\.\d{7}\] |^panic: |UBSan: Undefined Behavior in /)",
    .fatal =
        R"(^(?:panic: |fatal [a-z ]+ in supervisor mode|Stopped (?:in pid|at)|db(?:\{\d+\})?> |rebooting\.\.\.))",
    .prefix =
        R"(^(?:<\d{1,3}>|\[ {0,7}\d{1,10}\.\d{6,7}\] |[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,64} /netbsd: (?:\[ *\d+\.\d+\] )?|(?:\S{0,64} ?)?login: ))",
    .preamble = R"(^(?:uvm_fault\(|Mutex error: |Reader / writer lock error: ))",
};

struct NetbsdConsoleRules final : DdbConsoleRules {
  NetbsdConsoleRules() : DdbConsoleRules(netbsd, netbsd_console_formats(), netbsd_function_rules()) {}
};

}  // namespace

const ConsoleRules& netbsd_console_rules() {
  return lasting<NetbsdConsoleRules>();
}

}  // namespace kdev::guest
