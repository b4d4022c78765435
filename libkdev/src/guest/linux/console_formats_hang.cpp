// Formats of kernel/hung_task.c, kernel/rcu/tree_stall.h, kernel/watchdog*.c, kernel/workqueue.c.
#include "guest/linux/console_formats.hpp"

namespace kdev::guest {
namespace {

// Code that waits, for a lock or something else, because its caller wants to.
constexpr std::string_view sleepers =
    R"(.*schedule.*|.*_wait.*|wait_.*|.*mutex_lock.*|.*rwsem.*|.*rt_mutex.*|down.*|.*_down_.*|.*lock_page.*|.*ldsem.*|\w*_lock_(?:pair|killable|interruptible|slowpath)\w*|flush_work|__flush_work|flush_workqueue|.*_switch|rw_.*lock.*|.*wait_on.*|do_wait.*|__down.*|io_wait.*|folio_.*lock.*)";

}  // namespace

std::vector<CrashFormat> linux_hang_formats() {
  return {
      {.kind = "hung-task",
       .start = R"(INFO: task .{1,40} blocked for more than \d+ seconds|INFO: task )",
       .needs_trace = true,
       .titles = {{.pattern = R"(^INFO: task .{1,40} can't die for more than)",
                   .title = "INFO: task can't die in {function}",
                   .type = "HANG",
                   .alternatives = {"hang in {function}"},
                   .function = {"trace"},
                   .skip = sleepers},
                  {.pattern = {},
                   .title = "INFO: task hung in {function}",
                   .type = "HANG",
                   .alternatives = {"hang in {function}"},
                   .function = {"trace"},
                   .skip = sleepers}}},
      {.kind = "rcu-stall",
       .start =
           R"((?:rcu: )?INFO: (?:rcu\w* )?(?:self-)?(?:detected (?:expedited )?stalls? on)|(?:rcu: )?INFO: rcu\w* (?:self-)?detected (?:expedited )?stalls?)",
       .needs_trace = true,
       .all_callers = true,
       .titles = {{.pattern = {},
                   .title = "INFO: rcu detected stall in {function}",
                   .type = "HANG",
                   .alternatives = {"stall in {function}"},
                   .function = {"stalled"},
                   .blame = {"pc", "leaf"}}}},
      {.kind = "soft-lockup",
       .start = R"((?:(?:NMI )?watchdog: )?BUG: soft lockup)",
       .needs_trace = true,
       .all_callers = true,
       .titles = {{.pattern = {},
                   .title = "BUG: soft lockup in {function}",
                   .type = "HANG",
                   .alternatives = {"stall in {function}"},
                   .function = {"stalled"},
                   .blame = {"pc", "leaf"}}}},
      {.kind = "hard-lockup",
       .start = R"((?:(?:NMI )?watchdog: )?(?:CPU\d+: )?Watchdog detected hard LOCKUP)",
       .needs_trace = true,
       .all_callers = true,
       .titles = {{.pattern = {},
                   .title = "BUG: hard lockup in {function}",
                   .type = "HANG",
                   .alternatives = {"stall in {function}"},
                   .function = {"stalled"},
                   .blame = {"pc", "leaf"}}}},
      {.kind = "workqueue-lockup",
       .start = R"(BUG: workqueue lockup)",
       .titles = {{.pattern = {}, .title = "BUG: workqueue lockup", .type = "HANG"}}},
      {.kind = "netdevice",
       .start = R"(unregister_netdevice: waiting for \S+ to become free)",
       .titles = {{.pattern = {},
                   .title = "unregister_netdevice: waiting for DEV to become free",
                   .type = "DoS"}}},
  };
}

}  // namespace kdev::guest
