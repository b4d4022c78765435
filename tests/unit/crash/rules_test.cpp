#include <gmock/gmock.h>

#include "crash/title.hpp"
#include "guest/console_rules.hpp"
#include "guest/consoles.hpp"
#include "guest/guest.hpp"
#include "guest/linux/console_frame.hpp"
#include "guest/linux/console_line.hpp"

namespace kdev::guest {
namespace {

const ConsoleRules& rules() {
  return *guest_for(Os::linux).console();
}

TEST(ConsoleRules, EveryRowOfTheTablesCompiles) {
  for (const auto& system : console_systems())
    EXPECT_NO_THROW(crash::TitleTable(system.rules()).compile()) << system.name;
}

TEST(ConsoleRules, BeginsReport) {
  for (const char* line : {
           "[    0.813460] BUG: kernel NULL pointer dereference, address: 0000000000000000",
           "[    0.971645][   T35] BUG: unable to handle page fault for address: ffffffff81843ea0\r",
           "<1>[    0.837580] kernel BUG at drivers/misc/lkdtm/bugs.c:78!",
           "\033[31m[    0.837580] kernel BUG at drivers/misc/lkdtm/bugs.c:78!\033[0m",
           "[    0.838164] invalid opcode: 0000 [#1] SMP",
           "[    0.100000] general protection fault, probably for non-canonical address 0xdead000000000108: "
           "0000 [#1] SMP",
           "[    0.100000] Oops: general protection fault, probably for non-canonical address 0xdead: 0000 "
           "[#1] SMP",
           "[    0.732934] WARNING: CPU: 0 PID: 35 at drivers/misc/lkdtm/bugs.c:90 "
           "lkdtm_WARNING_MESSAGE+0x1f/0x30",
           "[    4.380971] INFO: task sh:36 blocked for more than 2 seconds.",
           "[    7.039831] watchdog: BUG: soft lockup - CPU#1 stuck for 6s! [sh:36]",
           "[   21.681725] rcu: INFO: rcu_sched self-detected stall on CPU",
           "[   21.681725] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
           "[    0.620395] Kernel panic - not syncing: sysrq triggered crash",
           "sh-5.1# [    0.620395] Kernel panic - not syncing: sysrq triggered crash",
           "Nov 22 00:22:59 host kernel: BUG: kernel NULL pointer dereference, address: 0000000000000000",
           "[    1.000000] BUG: KASAN: use-after-free in lkdtm_READ_AFTER_FREE+0x3d/0x51",
           "[    1.000000] WARNING: possible circular locking dependency detected",
           "[    1.000000] Unable to handle kernel NULL pointer dereference at virtual address "
           "0000000000000000",
           "[    1.000000] BUG: scheduling while atomic: swapper/0/0x00000002",
       })
    EXPECT_TRUE(rules().begins_report(line)) << line;
}

TEST(ConsoleRules, BeginsNoReport) {
  for (const char* line : {
           "",
           "[",
           "[    0.000000] Kernel command line: console=ttyS0 panic=-1 oops=panic panic_on_warn=1 "
           "nmi_watchdog=panic",
           "[    0.000000] Command line: root=/dev/sda BUG: WARNING: Oops: Kernel panic - not syncing",
           "[    0.032000] tsc: Unable to calibrate against PIT",
           "[    1.230552] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
           "[    0.620320] INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 3.449 msecs",
           "[    0.614476] NMI backtrace for cpu 1",
           "[    0.627059] task:kworker/0:1     state:D stack:0     pid:13    ppid:2      flags:0x00004000",
           "[    0.805381] lkdtm: Performing direct entry BUG",
           "WARNING: this program is deprecated",
           "BUG: please report",
           "INFO: starting tests",
           "make[1]: *** [Makefile:12: WARNING: CPU] Error 2",
           "the log said: Kernel panic - not syncing: foo",
           "test_oops: Oops: expected",
           "[    0.100000] systemd[1]: Starting Kernel panic - not syncing watcher",
           "Segmentation fault",
           "[    2.000000] traps: a.out[123] general protection fault ip:55d sp:7ff error:0 in a.out",
           "[    2.000000] a.out[123]: segfault at 0 ip 000055d error 4 in a.out",
       })
    EXPECT_FALSE(rules().begins_report(line)) << line;
}

TEST(ConsoleRules, EndsAndFatal) {
  EXPECT_TRUE(rules().ends_report("[    0.818931] ---[ end trace 0000000000000000 ]---"));
  EXPECT_TRUE(rules().ends_report(
      "[  247.9] [    0.100000] =================================================================="));
  EXPECT_TRUE(rules().ends_report(
      "[    0.818931] ---[ end Kernel panic - not syncing: Attempted to kill init! ]---"));
  EXPECT_FALSE(rules().ends_report("[    0.816004] Call Trace:"));
  EXPECT_TRUE(rules().is_fatal("[    0.620395][    T1] Kernel panic - not syncing: sysrq triggered crash"));
  EXPECT_TRUE(rules().is_fatal("[    0.620395] Rebooting in 1 seconds.."));
  EXPECT_FALSE(
      rules().is_fatal("[    0.813460] BUG: kernel NULL pointer dereference, address: 0000000000000000"));
  EXPECT_FALSE(rules().is_fatal("[    0.000000] Command line: Kernel panic - not syncing"));
}

std::vector<std::string> split(std::string_view raw) {
  std::vector<ConsoleRecord> records;
  std::string scratch;
  split_linux_line(raw, records, scratch);
  std::vector<std::string> out;
  for (const auto& r : records)
    out.push_back((r.stamped ? "+" : "-") + std::string(r.caller) + "|" + std::string(r.text));
  return out;
}

TEST(ConsoleLine, Prefixes) {
  using testing::ElementsAre;
  EXPECT_THAT(split("[    0.813460] text"), ElementsAre("+|text"));
  EXPECT_THAT(split("[12345.813460][ T1234]  frame+0x1/0x2"), ElementsAre("+T1234| frame+0x1/0x2"));
  EXPECT_THAT(split("[    0.813460][    C1] text\r"), ElementsAre("+C1|text"));
  EXPECT_THAT(split("<4>[    0.813460] text"), ElementsAre("+|text"));
  EXPECT_THAT(split("[    0.813460] <4>text"), ElementsAre("+|text"));
  EXPECT_THAT(split("[    5.123456,1] text"), ElementsAre("+|text"));
  EXPECT_THAT(split("login: [    0.813460] text"), ElementsAre("-|login: ", "+|text"));
  EXPECT_THAT(split("\033[1;31m[    0.813460]\033[0m te\033[Kxt"), ElementsAre("+|text"));
  EXPECT_THAT(split("[    1.000000] one [    1.000001][ T2] two"), ElementsAre("+|one ", "+T2|two"));
  EXPECT_THAT(split("Nov 22 00:22:59 host kernel: text"), ElementsAre("+|text"));
  EXPECT_THAT(split("2026-11-22T00:22:59.123456+00:00 host kernel: text"), ElementsAre("+|text"));
  EXPECT_THAT(split("Nov 22 00:22:59 host kernel: [    0.813460] text"), ElementsAre("+|text"));
  EXPECT_THAT(split("[Sun Nov 22 00:22:59 2026] text"), ElementsAre("+|text"));
  EXPECT_THAT(split("a [1.5] b [ 12:34 ] [T1]"), ElementsAre("-|a [1.5] b [ 12:34 ] [T1]"));
  EXPECT_THAT(split(""), ElementsAre("-|"));
}

struct FrameCase {
  const char* text;
  const char* function;
  std::uint64_t offset, size, address;
  bool reliable;
  const char* module;
};

TEST(ConsoleFrame, Formats) {
  const FrameCase cases[] = {
      {" lkdtm_BUG+0x0/0x10", "lkdtm_BUG", 0, 0x10, 0, true, ""},
      {" ? vfs_write+0xa2/0x2c0", "vfs_write", 0xa2, 0x2c0, 0, false, ""},
      {" ext4_fill_super+0x1/0x2 [ext4]", "ext4_fill_super", 1, 2, 0, true, "ext4"},
      {" f+0x1/0x2 [m 0123456789abcdef0123456789abcdef01234567]", "f", 1, 2, 0, true, "m"},
      {" [<ffffffff81d91389>] dump_stack+0xc1/0x128", "dump_stack", 0xc1, 0x128, 0xffffffff81d91389, true,
       ""},
      {" [<ffffffff81d91389>] ? f.isra.3+0xc1/0x128 [mod]", "f.isra.3", 0xc1, 0x128, 0xffffffff81d91389,
       false, "mod"},
      {" <IRQ>  [<ffffffff813a0886>] show+0x2/0x4", "show", 2, 4, 0xffffffff813a0886, true, ""},
      {" [<000000005b8e4771>] kmem_cache_alloc+0x1c0/0x3c0", "kmem_cache_alloc", 0x1c0, 0x3c0, 0x5b8e4771,
       true, ""},
      {"[<8010c8f8>] (unwind_backtrace) from [<801086a4>] (show_stack+0x10/0x14)", "show_stack", 0x10, 0x14,
       0x801086a4, true, ""},
      {" unwind_backtrace from show_stack+0x10/0x14", "show_stack", 0x10, 0x14, 0, true, ""},
      {" el0_svc+0x2c/0x84 (P)", "el0_svc", 0x2c, 0x84, 0, true, ""},
      {"[c000000007a3f970] [c0000000001a2b3c] css_free+0x1/0x2 (unreliable)", "css_free", 1, 2,
       0xc0000000001a2b3c, false, ""},
      {" <ashmem::Ashmem as kernel::MiscDevice>::mmap+0x1/0x2",
       "<ashmem::Ashmem as kernel::MiscDevice>::mmap", 1, 2, 0, true, ""},
      {" ? 0xffffffffa0000123", "0xffffffffa0000123", 0, 0, 0xffffffffa0000123, false, ""},
      {" [<ffffffffa0000123>] 0xffffffffa0000123", "0xffffffffa0000123", 0, 0, 0xffffffffa0000123, true, ""},
  };
  for (const auto& c : cases) {
    std::string context;
    bool marker = false;
    const auto f = parse_linux_frame(c.text, context, marker);
    ASSERT_TRUE(f) << c.text;
    EXPECT_EQ(c.function, f->function) << c.text;
    EXPECT_EQ(c.offset, f->offset) << c.text;
    EXPECT_EQ(c.size, f->size) << c.text;
    EXPECT_EQ(c.address, f->address) << c.text;
    EXPECT_EQ(c.reliable, f->reliable) << c.text;
    EXPECT_EQ(c.module, f->module) << c.text;
  }
}

TEST(ConsoleFrame, SymbolizedByOthers) {
  std::string context;
  bool marker = false;
  auto f = parse_linux_frame(" __list_add include/linux/list.h:60 [inline]", context, marker);
  ASSERT_TRUE(f);
  EXPECT_TRUE(f->inlined);
  EXPECT_EQ("include/linux/list.h", f->file);
  EXPECT_EQ(60, f->line);
  f = parse_linux_frame(" foo+0x35c/0x750 mm/list.c:12", context, marker);
  ASSERT_TRUE(f);
  EXPECT_FALSE(f->inlined);
  EXPECT_EQ("mm/list.c", f->file);
  EXPECT_EQ(12, f->line);
}

TEST(ConsoleFrame, MarkersAndOtherText) {
  std::string context = "x";
  bool marker = false;
  EXPECT_FALSE(parse_linux_frame(" <TASK>", context, marker));
  EXPECT_TRUE(marker);
  EXPECT_EQ("TASK", context);
  EXPECT_FALSE(parse_linux_frame(" </TASK>", context, marker));
  EXPECT_EQ("", context);
  for (const char* text : {"", " ", "caller is f+0x1/0x2", " lock: rcu_state+0xb40/0xc20, .magic: dead4ead",
                           "last function: f+0x1/0x2", "RIP: 0010:f+0x1/0x2", "f+0x1", "Code: 00 00", "a+b",
                           "<>", "[<", "[<ffffffff81d91389>", "f+0x1/0x2 is a nice function"}) {
    EXPECT_TRUE(!parse_linux_frame(text, context, marker) || std::string(text) == "f+0x1") << text;
    EXPECT_FALSE(marker) << text;
  }
}

}  // namespace
}  // namespace kdev::guest
