// What ends a machine or a test without the kernel's own report: another system under it, its programs, a
// boot that nobody asked for.
#include "guest/linux/console_formats.hpp"

namespace kdev::guest {

std::vector<CrashFormat> linux_system_formats() {
  using Role = CrashFormat::Role;
  return {
      // panic() and assert of Trusty's kernel (lk), which the driver copies to the console line by line.
      {.kind = "trusty",
       .start = R"(trusty: panic )",
       .titles = {{.pattern = R"(ASSERT FAILED at \([^)\n]*\): (\S.*))",
                   .title = "trusty: ASSERT FAILED: {1}",
                   .type = "DoS"},
                  {.pattern = R"(^trusty: panic \(caller (?s:.{0,40}?)0x[0-9a-f]+\): (\S.*))",
                   .title = "trusty: panic: {1}",
                   .type = "DoS"}}},
      // syzkaller's programs; Go's runtime.
      {.kind = "program",
       .start = R"(SYZ(?:FAIL|FATAL): )",
       .role = Role::program,
       .titles =
           {// A signal in the program that runs tests says something of the test.
            {.pattern = R"(^(SYZ(?:FAIL|FATAL): SIG(?:BUS|SEGV|ILL|ABRT|FPE)\b.*))",
             .title = "{1}",
             .type = "SYZ_FAILURE",
             .suppressed = true},
            {.pattern = R"(^(SYZ(?:FAIL|FATAL): .*))", .title = "{1}", .type = "SYZ_FAILURE"}}},
      {.kind = "program",
       .start =
           R"(fatal error: \S|SIG(?:SEGV: segmentation violation|ILL: illegal instruction|BUS: bus error|ABRT: abort)$|panic: runtime error: )",
       .role = Role::program,
       .titles = {{.pattern = R"(^fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory))",
                   .title = "go runtime error",
                   .type = "DoS",
                   .suppressed = true},
                  {.pattern = {}, .title = "go runtime error", .type = "DoS"}}},
      {.kind = "",
       .start = R"(reboot: (?:Restarting system|Power down|System halted|machine restart)|Rebooting in \d)",
       .role = Role::farewell},
      {.kind = "",
       .start =
           R"(SeaBIOS \(version |U-Boot (?:SPL )?\d{4}|OpenSBI v\d|UEFI firmware \(version|BdsDxe: loading |iPXE \d|GRUB loading)",
       .role = Role::firmware},
      {.kind = "reboot",
       .start = R"(early console in |Booting the kernel\.|Linux version \d|Booting Linux on physical CPU)",
       .role = Role::boot,
       .titles = {{.pattern = {}, .title = "unexpected kernel reboot", .type = "REBOOT"}}},
  };
}

}  // namespace kdev::guest
