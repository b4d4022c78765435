// Formats of panic() in kernel/panic.c, mm/page_alloc.c, mm/memory.c, fs/dcache.c, and reports without a
// format of their own.
#include "guest/linux/console_formats.hpp"

namespace kdev::guest {

std::vector<CrashFormat> linux_ignored_formats() {
  using Role = CrashFormat::Role;
  return {
      {.kind = "", .start = R"(INFO: NMI handler )", .role = Role::ignore},
      {.kind = "", .start = R"(INFO: Stall ended before state dump start)", .role = Role::ignore},
      {.kind = "", .start = R"(INFO: lockdep is turned off)", .role = Role::ignore},
      {.kind = "", .start = R"(INFO: (?:(?:Object|Slab) )?0x)", .role = Role::ignore},
      {.kind = "", .start = R"(INFO: recovery required on readonly)", .role = Role::ignore},
      {.kind = "",
       .start = R"(INFO: (?:lockdep|perf|task) \S+ (?:turned|interrupt|took))",
       .role = Role::ignore},
      // A second line of the hung task's own report.
      {.kind = "",
       .start = R"(INFO: task .{1,40} (?:is )?blocked on an? (?:mutex|semaphore|rw-semaphore))",
       .role = Role::ignore},
      {.kind = "", .start = R"(WARNING: The mand mount option)", .role = Role::ignore},
  };
}

std::vector<CrashFormat> linux_panic_formats() {
  using Role = CrashFormat::Role;
  return {
      {.kind = "page",
       .start = R"(BUG: Bad page state in process)",
       .needs_trace = true,
       .titles =
           {// Who frees a page is seldom to blame for its state: PAGE_OWNER knows who had it.
            {.pattern = {},
             .title = "BUG: Bad page state in {function}",
             .function = {"trace:^page last allocated"},
             .blame = {"trace"},
             .skip =
                 R"(bad_page|.*free.*page.*|.*_pages?_.*|release_pages|\w*put_page|\w*folio\w*|get_page_from_freelist|pagecache_get_page|prep_new_page|\w*alloc_pages\w*|page_pool_\w+|\w*page_owner|post_alloc_hook)"}}},
      {.kind = "page",
       .start = R"(BUG: Bad page map)",
       .needs_trace = true,
       .titles = {{.pattern = {}, .title = "BUG: Bad page map", .function = {"trace"}}}},
      {.kind = "page",
       .start = R"(BUG: Bad page cache)",
       .needs_trace = true,
       .titles = {{.pattern = {}, .title = "BUG: Bad page cache", .function = {"trace"}}}},
      {.kind = "page",
       .start = R"(BUG: Bad rss-counter state)",
       .titles = {{.pattern = {}, .title = "BUG: Bad rss-counter state"}}},
      {.kind = "vfs",
       .start = R"(BUG: Dentry .{1,200} still in use)",
       .needs_trace = true,
       .titles = {{.pattern = R"(BUG: Dentry .{1,200} still in use \(\d+\) \[(unmount of .*)\])",
                   .title = "BUG: Dentry still in use in unmount",
                   .alternatives = {"BUG: Dentry still in use [{1:raw}]"}},
                  {.pattern = {}, .title = "BUG: Dentry still in use"}}},
      {.kind = "vfs",
       .start = R"(VFS: (?:Close: file count is (?:zero|0)|Busy inodes after unmount))",
       .titles = {{.pattern = R"(^VFS: Busy inodes)",
                   .title = "VFS: Busy inodes after unmount (use-after-free)",
                   .type = "DoS"},
                  {.pattern = {},
                   .title = "VFS: Close: file count is zero (use-after-free)",
                   .type = "DoS"}}},
      {.kind = "panic",
       .start = R"(Kernel panic - not syncing)",
       .role = Role::follow,
       .titles =
           {
               {.pattern = R"(^Kernel panic - not syncing: (?:\w+: )?panic_on_warn set)",
                .title = "kernel panic: panic_on_warn set",
                .type = "DoS",
                .function = {"pc", "trace"},
                .corrupted = true},
               // Both follow a report whose beginning was lost.
               {.pattern =
                    R"(^Kernel panic - not syncing: (hung_task: blocked tasks|softlockup: hung tasks))",
                .title = "kernel panic: {1}",
                .type = "DoS",
                .function = {"trace"},
                .corrupted = true},
               {.pattern =
                    R"(^Kernel panic - not syncing: (?:stack-protector: )?Kernel stack is corrupted in: (?:(\w[\w.]*)\+0x)?)",
                .title = "kernel panic: stack is corrupted in {function}",
                .type = "DoS",
                .function = {"1", "trace"}},
               {.pattern = R"(^Kernel panic - not syncing: corrupted stack end detected inside scheduler)",
                .title = "kernel panic: corrupted stack end in {function}",
                .type = "DoS",
                .alternatives = {"stack-overflow in {function}"},
                .function = {"entry", "trace"}},
               {.pattern = R"(^Kernel panic - not syncing: (Attempted to kill init!))",
                .title = "kernel panic: {1}",
                .type = "DoS",
                .function = {"pc", "trace"}},
               {.pattern = R"(^Kernel panic - not syncing: (\S.*?)[ .]*$)",
                .title = "kernel panic: {1}",
                .type = "DoS",
                .function = {"pc", "trace"}},
               {.pattern = {}, .title = "kernel panic", .type = "DoS", .corrupted = true},
           }},
      // What the kernel shouts without a stack: lockdep's limits, check_mm() in kernel/fork.c, the scheduler.
      {.kind = "bug",
       .start =
           R"(BUG: (?:MAX_[A-Z_]+ too low!|non-zero \w+ on freeing mm|looking up invalid subclass|sched: Unexpected reschedule))",
       .titles = {{.pattern = R"(BUG: (.*?)\s*$)", .title = "BUG: {1}", .function = {"trace"}}}},
      {.kind = "info",
       .start = R"((?:BUG|WARNING|INFO):\s*$)",
       .titles = {{.pattern = R"(^(BUG|WARNING|INFO):)", .title = "{1}: corrupted", .corrupted = true}}},
      // dev_warn() puts the driver's and the device's names in front.
      {.kind = "warning",
       .start = R"([a-z][\w-]{1,32} [\w.:-]{0,24}\d[\w.:-]{0,8}: WARNING: \S)",
       .titles = {{.pattern = R"(: (WARNING: .*)$)", .title = "{1}", .type = "WARNING"}}},
      {.kind = "bug",
       .start = R"((?:\[ )?BUG: \S)",
       .role = Role::generic,
       .titles = {{.pattern = R"(BUG: (.*?)(?: \])?$)", .title = "BUG: {1}", .function = {"trace"}}}},
      {.kind = "warning",
       .start = R"(WARNING: kernel stack (?:regs|frame pointer))",
       .role = Role::generic,
       .titles = {{.pattern = R"(kernel stack (regs|frame pointer))",
                   .title = "WARNING: kernel stack {1} has bad value"}}},
      {.kind = "warning",
       .start = R"((?:\[ )?WARNING: \S)",
       .role = Role::generic,
       .titles = {{.pattern = R"(WARNING: (.*?)(?: \])?$)",
                   .title = "WARNING: {1}",
                   .type = "WARNING",
                   .function = {"trace"}}}},
      {.kind = "info",
       .start = R"((?:\[ )?INFO: \S)",
       .role = Role::generic,
       .titles = {{.pattern = R"(INFO: (.*?)(?: \])?$)", .title = "INFO: {1}", .function = {"trace"}}}},
  };
}

}  // namespace kdev::guest
