// Formats of __warn() in kernel/panic.c and of what prints a line before it warns.
#include "guest/linux/console_formats.hpp"

namespace kdev::guest {

std::vector<CrashFormat> linux_warning_formats() {
  return {
      {.kind = "warning",
       .start = R"(WARNING: CPU: \d+ PID: -?\d+ at |WARNING: (?:\[.*\] )?\S+:\d+ at |WARNING: at \S+:\d+)",
       .needs_trace = true,
       .titles =
           {
               {.pattern = R"(refcount_t: |^WARNING:.* at lib/refcount\.c)",
                .title = "WARNING: refcount bug in {function}",
                .type = "REFCOUNT_WARNING",
                .function = {"pc", "trace"}},
               {.pattern = R"(^ODEBUG: |^WARNING:.* at lib/debugobjects\.c)",
                .title = "WARNING: ODEBUG bug in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"},
                .skip = R"(.*timer.*)"},
               {.pattern = R"(^WARNING:.* at kernel/locking/lockdep\.c)",
                .title = "WARNING: locking bug in {function}",
                .type = "LOCKDEP",
                .function = {"pc", "trace"}},
               {.pattern = R"(^WARNING:.* at (?:mm/\w+\.c:\d+ k[vz]?malloc|mm/slab_common\.c|mm/util\.c))",
                .title = "WARNING: kmalloc bug in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"}},
               {.pattern = R"(^WARNING:.* at lib/kobject\.c)",
                .title = "WARNING: kobject bug in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"}},
               {.pattern = R"(^WARNING:.* at fs/proc/generic\.c)",
                .title = "WARNING: proc registration bug in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"},
                .skip = R"(_?_?(?:proc|remove_proc)_.*)"},
               {.pattern = R"(^WARNING:.* at mm/usercopy\.c)",
                .title = "WARNING: bad usercopy in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"}},
               {.pattern = R"(^WARNING:.* at mm/vmalloc\.c:\d+ __vmalloc_node)",
                .title = "WARNING: zero-size vmalloc in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"}},
               {.pattern = R"(^WARNING:.* (usb_submit_urb)\+0x)",
                .title = "WARNING in {function}/{1}",
                .type = "WARNING",
                .function = {"trace"},
                .skip = R"(usb_(?:submit_urb|start_wait_urb|.*_msg))"},
               {.pattern = {},
                .title = "WARNING in {function}",
                .type = "WARNING",
                .function = {"pc", "trace"}},
           }},
  };
}

}  // namespace kdev::guest
