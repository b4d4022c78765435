// Formats of kern/subr_asan.c, kern/subr_msan.c and the UBSan runtime where they are told not to panic, of
// kassert_panic() likewise, and of vm/redzone.c.
#include "guest/freebsd/console_formats.hpp"

namespace kdev::guest {

std::vector<CrashFormat> freebsd_sanitizer_formats() {
  return {
      {.kind = "kasan",
       .start = R"(ASan: Invalid access, \d+-byte (?:read|write) at )",
       .survives = true,
       .titles = {{.pattern = R"(^ASan: Invalid access, (\d+)-byte (read|write) at )",
                   .title = "ASan: Invalid access, {1}-byte {2} in {function}",
                   .type = "KASAN-{2:upper}",
                   .function = {"trace"}}}},
      {.kind = "kmsan",
       .start = R"(MSan: Uninitialized )",
       .survives = true,
       .titles = {{.pattern = R"(^MSan: Uninitialized (\w+ )?memory)",
                   .title = "MSan: Uninitialized {1:raw}memory in {function}",
                   .type = "KMSAN-UNINIT-VALUE",
                   .function = {"trace"}}}},
      {.kind = "ubsan",
       .start = R"(UBSan: Undefined Behavior in )",
       .survives = true,
       .titles = {{.pattern = R"(^UBSan: Undefined Behavior in (?s:.*?)(?:\(\) at |^#\d+ 0x))",
                   .title = "UBSan: Undefined Behavior in {function}",
                   .type = "UBSAN",
                   .function = {"trace"}},
                  {.pattern = R"(^UBSan: Undefined Behavior in \S+?:\d+:\d+, (.*?)[ .]*$)",
                   .title = "UBSan: {1}",
                   .type = "UBSAN"}}},
      {.kind = "warning",
       .start = R"(KASSERT failed: )",
       .survives = true,
       .titles = {{.pattern = R"(^KASSERT failed: (\S.*?)[ .]*$)",
                   .title = "KASSERT failed: {1}",
                   .type = "WARNING",
                   .function = {"trace"}}}},
      {.kind = "redzone",
       .start = R"(REDZONE: Buffer (?:overflow|underflow) detected)",
       .survives = true,
       .titles = {{.pattern = R"(^REDZONE: Buffer (overflow|underflow) detected)",
                   .title = "REDZONE: buffer {1} in {function}",
                   .function = {"trace"}}}},
  };
}

}  // namespace kdev::guest
