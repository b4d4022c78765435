// Forms of Linux's reports that other kernels, architectures and circumstances have, by the kernel's source.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/crash.hpp>

#include "guest/consoles.hpp"

namespace kdev::guest {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string stamped(std::string_view text, int second = 5) {
  std::string out;
  while (!text.empty()) {
    const auto n = text.find('\n');
    out += fmt::format("[  {:3}.000000][   T35] {}\n", second, text.substr(0, n));
    text.remove_prefix(n == std::string_view::npos ? text.size() : n + 1);
  }
  return out;
}

std::string stack(const std::vector<std::string>& functions, std::string_view name = "Call Trace:") {
  std::string text = std::string(name) + "\n";
  for (const auto& f : functions) text += f.starts_with("<") ? f + "\n" : " " + f + "+0x1c/0x80\n";
  return text;
}

CrashReport one(const std::string& text) {
  const auto reports = scan_console(stamped(text), "linux");
  return reports.size() == 1 ? reports[0] : CrashReport{};
}

TEST(LinuxVariants, FirstLines) {
  const std::string work = stack({"dump_stack", "work", "vfs_write"});
  for (const auto& [line, title, type] : std::vector<std::array<std::string, 3>>{
           {"INFO: task sh:36 can't die for more than 143 seconds.", "INFO: task can't die in work", "HANG"},
           {"INFO: task sh:36 blocked in I/O wait for more than 122 seconds.", "INFO: task hung in work",
            "HANG"},
           {"watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1", "BUG: hard lockup in work", "HANG"},
           {"NMI watchdog: Watchdog detected hard LOCKUP on cpu 0", "BUG: hard lockup in work", "HANG"},
           {"Unable to handle kernel write to read-only memory at virtual address ffff800008a0",
            "BUG: unable to handle kernel write to read-only memory in work", "MEMORY_SAFETY_BUG"},
           {"Unable to handle kernel execute from non-executable memory at virtual address ffff800008a0",
            "BUG: unable to handle kernel execute from non-executable memory in work", "MEMORY_SAFETY_BUG"},
           {"Unable to handle kernel pointer dereference in virtual kernel address space",
            "BUG: unable to handle kernel paging request in work", "MEMORY_SAFETY_BUG"},
           {"BUG: Unable to handle kernel data access on read at 0xc000000",
            "BUG: unable to handle kernel paging request in work", "MEMORY_SAFETY_BUG"},
           {"BUG: KCSAN: assert: race in one_side+0x1/0x2 / other_side+0x2/0x3",
            "KCSAN: assert: race in one_side / other_side", "KCSAN-ASSERT"},
           {"BUG: KMSAN: use-after-free in work+0x12/0x34", "KMSAN: use-after-free in work",
            "KMSAN-USE-AFTER-FREE-READ"},
           {"BUG: Bad page cache in process sh  pfn:1234", "BUG: Bad page cache", ""},
           {"BUG: TASK stack guard page was hit at 00000000d1a8d8 (stack is 0000..0001)",
            "BUG: stack guard page was hit in work", ""},
           {"WARNING: fs/foo.c:12 at work+0x1/0x2, CPU#0: sh/36", "WARNING in work", "WARNING"},
           {"WARNING: CPU: 5 PID: -534549613 at kernel/x.c:2681 work+0x230/0x23c", "WARNING in work",
            "WARNING"},
           {"BUG: assuming atomic context at net/core/x.c:12", "BUG: assuming atomic context in work",
            "ATOMIC_SLEEP"},
           {"BUG: non-zero pgtables_bytes on freeing mm: 4096",
            "BUG: non-zero pgtables_bytes on freeing mm: NUM", ""},
           {"BUG: MAX_LOCKDEP_CHAINS too low!", "BUG: MAX_LOCKDEP_CHAINS too low!", ""},
           {"Oops: overflow: 0000 [#1] PREEMPT SMP", "exception in work", "DoS"},
       }) {
    const auto report = one(line + "\n" + work);
    EXPECT_EQ(title, report.title) << line;
    EXPECT_EQ(type, report.type) << line;
    EXPECT_FALSE(report.corrupted) << line;
  }
}

TEST(LinuxVariants, LinesThatOnlyLookLikeReports) {
  for (const char* line : {
           "INFO: task sh:36 is blocked on a mutex likely owned by task sh:37.",
           "INFO: task sh:36 blocked on a semaphore likely last held by task sh:37",
           "Starting sshd: WARNING: no keys",
           "INFO: lockdep is turned off.",
       })
    EXPECT_THAT(scan_console(stamped(line), "linux"), IsEmpty()) << line;
  EXPECT_EQ("WARNING: support is incomplete", one("usb 5-1: WARNING: support is incomplete").title);
}

TEST(LinuxVariants, WordsWithoutTheRest) {
  for (const char* word : {"INFO", "BUG", "WARNING"}) {
    const auto reports = scan_console(fmt::format("{}:\n", word), "linux");
    ASSERT_THAT(reports, SizeIs(1));
    EXPECT_EQ(fmt::format("{}: corrupted", word), reports[0].title);
    EXPECT_TRUE(reports[0].corrupted);
  }
}

TEST(LinuxVariants, MessagesThatWereDropped) {
  const std::string log = stamped("WARNING: CPU: 0 PID: 35 at a.c:1 work+0x1/0x2\n" + stack({"work"}));
  EXPECT_FALSE(scan_console(log, "linux").at(0).corrupted);
  const auto at = log.find('\n') + 1;
  EXPECT_TRUE(scan_console(log.substr(0, at) + "** 12 printk messages dropped ** " + log.substr(at), "linux")
                  .at(0)
                  .corrupted);
}

TEST(LinuxVariants, AStallIsNamedBelowTheTimersInterrupt) {
  const std::string head = "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n";
  const std::vector<std::string> softirq = {"<IRQ>", "spin_long", "my_timer", "call_timer_fn",
                                            "run_timer_softirq"};
  const std::vector<std::string> task = {"my_write", "vfs_write", "ksys_write", "do_syscall_64"};
  auto both = softirq;
  both.insert(both.end(),
              {"__do_softirq", "irq_exit", "smp_apic_timer_interrupt", "apic_timer_interrupt", "</IRQ>"});
  both.insert(both.end(), task.begin(), task.end());
  EXPECT_EQ("INFO: rcu detected stall in my_write", one(head + stack(both)).title);
  EXPECT_EQ("INFO: rcu detected stall in my_write", one(head + stack(task)).title);
  EXPECT_EQ("INFO: rcu detected stall in my_timer", one(head + stack(softirq)).title);
}

TEST(LinuxVariants, SystemCallsHaveOneName) {
  for (const auto& [printed, name] : std::vector<std::pair<std::string, std::string>>{
           {"__x64_sys_openat2", "sys_openat2"},
           {"__do_sys_openat2", "sys_openat2"},
           {"__ia32_compat_sys_ioctl", "sys_ioctl"},
           {"sys_openat2", "openat2"},
           {"ksys_mount", "mount"},
           {"SyS_rmdir", "rmdir"},
       }) {
    const auto report = one("WARNING: CPU: 0 PID: 35 at a.c:1 " + printed + "+0x1/0x2\n" + stack({printed}));
    EXPECT_EQ("WARNING in " + name, report.title);
    EXPECT_THAT(report.alternative_titles, Contains("WARNING in " + printed));
    EXPECT_EQ(printed, report.function);
  }
}

TEST(LinuxVariants, ManglesAreUndone) {
  EXPECT_EQ("WARNING in ns::work",
            one("WARNING: CPU: 0 PID: 35 at a.c:1\n" + stack({"_ZN2ns4workEii"})).title);
  EXPECT_EQ("WARNING in foo::work",
            one("WARNING: CPU: 0 PID: 35 at a.c:1\n" + stack({"_ZN3foo4work17h0123456789abcdefE"})).title);
  EXPECT_EQ("WARNING in _Zx", one("WARNING: CPU: 0 PID: 35 at a.c:1\n" + stack({"_Zx"})).title);
}

TEST(LinuxVariants, RustPanics) {
  const std::string stopped =
      "------------[ cut here ]------------\nkernel BUG at rust/helpers/bug.c:7!\n"
      "Oops: invalid opcode: 0000 [#1] PREEMPT SMP\nRIP: 0010:rust_helper_BUG+0x8/0x10\n" +
      stack({"_RNvCscSpY9Juk0HT_7___rustc17rust_begin_unwind",
             "_RNvNtCs9jEwPDbx20M_4core9panicking9panic_fmt", "_RNvMs_C5mydrvNtB4_3Dev4mmap", "vfs_write"});
  const auto report = one("rust_kernel: panicked at drivers/mydrv.rs:60:5:\nindex out of bounds\n" + stopped);
  EXPECT_EQ("index out of bounds in <mydrv::Dev>::mmap", report.title);
  EXPECT_EQ("kernel BUG in <mydrv::Dev>::mmap", one(stopped).title);
  EXPECT_EQ("oh no in <mydrv::Dev>::mmap",
            one("rust_kernel: panicked at 'oh no', drivers/mydrv.rs:60:5\n" + stopped).title);
}

TEST(LinuxVariants, AKernelForCrashesThatIsLoadedIsNoPartOfTheProcess) {
  const auto report =
      one("Kernel panic - not syncing: oh no\nCPU: 1 PID: 38 Comm: sh Kdump: loaded Not tainted 6.1.0 #1\n" +
          stack({"dump_stack", "panic", "work"}));
  EXPECT_EQ("sh", report.process);
  EXPECT_EQ("Not tainted", report.taint);
}

TEST(LinuxVariants, ABadPageIsBlamedOnItsOwner) {
  const std::string freed = stack({"bad_page", "free_unref_page", "__folio_put", "innocent"});
  const std::string head = "BUG: Bad page state in process sh  pfn:7deea\n";
  const auto owned =
      one(head + "page last allocated via order 0, migratetype Unmovable, pid 1\n" +
          " post_alloc_hook+0x1/0x2\n get_page_from_freelist+0x1/0x2\n __alloc_pages_noprof+0x1/0x2\n"
          " owner+0x1/0x2\npage last free pid 2 tgid 2 stack trace:\n free_unref_page+0x1/0x2\n" +
          freed);
  EXPECT_EQ("BUG: Bad page state in owner", owned.title);
  EXPECT_FALSE(owned.corrupted);
  const auto unowned = one(head + freed);
  EXPECT_EQ("BUG: Bad page state in corrupted", unowned.title);
  EXPECT_EQ("innocent", unowned.function);
}

TEST(LinuxVariants, AWorkersDeadlockIsTheFlushers) {
  const auto report =
      one("WARNING: possible circular locking dependency detected\n"
          "kworker/0:1/43 is trying to acquire lock:\n"
          "ffffc9000027fdf0 ((work_completion)(&x->work)){+.+.}, at: process_one_work+0x8c0/0x17b0\n"
          "but task is already holding lock:\n"
          "ffff8880649b0d28 (wq#8){+.+.}, at: process_one_work+0x88b/0x17b0\n"
          "-> #1 ((wq_completion)wq#8){+.+.}:\n"
          "       flush_workqueue+0x100/0x200\n"
          "       remove_it+0x100/0x200\n" +
          stack({"dump_stack", "check_noncircular", "lock_acquire", "process_one_work", "worker_thread",
                 "kthread"}));
  EXPECT_EQ("possible deadlock in remove_it", report.title);
}

TEST(LinuxVariants, WhatASymbolizerAddedDoesNotRename) {
  const auto report =
      one("WARNING: CPU: 0 PID: 35 at a.c:1\nCall Trace:\n helper_of_work fs/a.c:12 [inline]\n"
          " work+0x34/0x10c fs/a.c:161\n vfs_write+0x1/0x2 fs/read_write.c:1\n");
  EXPECT_EQ("WARNING in work", report.title);
  ASSERT_THAT(report.frames(), SizeIs(3));
  EXPECT_TRUE(report.frames()[0].inlined);
}

TEST(LinuxVariants, AnotherReportInBetweenIsNotItsStack) {
  const auto report =
      one("[ BUG: bad unlock balance detected! ]\n4.9.65 #98 Not tainted\n"
          "CPU: 0 PID: 1 Comm: x Not tainted 4.9.65 #98\n" +
          stack({"dump_stack", "another"}) +
          "sh/14420 is trying to release lock (mrt_lock) at:\n[<ffffffff834dea24>] work+0xe4/0x140\n");
  EXPECT_EQ("BUG: bad unlock balance in corrupted", report.title);
}

TEST(LinuxVariants, TheStackOfTheSameTasksNextReportIsThisOnesToo) {
  const std::string first =
                        "BUG: Dentry 00000000ffffffff{i=0,n=x}  still in use (1) [unmount of ext4 loop4]\n",
                    second = "WARNING: CPU: 0 PID: 380 at fs/dcache.c:1616 umount_check+0x18d/0x1d0\n" +
                             stack({"d_walk", "kill_block_super"});
  const auto reports = scan_console(stamped(first + second), "linux");
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_FALSE(reports[0].corrupted);
  EXPECT_EQ("WARNING in d_walk", reports[1].title);
  // Another task's is not, nor one where callers are not printed; many without a stack take no longer.
  std::string other = stamped(second);
  for (std::size_t at = 0; (at = other.find("   T35", at)) != other.npos;) other.replace(at, 6, "   T36");
  EXPECT_TRUE(scan_console(stamped(first) + other, "linux").at(0).corrupted);
  EXPECT_TRUE(scan_console(first + second, "linux").at(0).corrupted);
  EXPECT_TRUE(scan_console(stamped(first + first + second), "linux").at(0).corrupted);
}

TEST(LinuxVariants, Trusty) {
  EXPECT_EQ("trusty: ASSERT FAILED: a < b",
            one("trusty: panic (caller 0xffffffffe000fbb8): ASSERT FAILED at (lib/ipc.c:472): a < b").title);
  EXPECT_EQ("trusty: panic: failed(-NUM) to start app NUM",
            one("trusty: panic (caller 0xffffffffe0002314): failed(-5) to start app 6").title);
}

TEST(LinuxReboot, IsUnexpectedOnlyAfterAKernelThatRan) {
  const std::string firmware = "SeaBIOS (version 1.8.2)\n",
                    boot =
                        "Decompressing Linux... Parsing ELF... done.\nBooting the kernel.\n"
                        "[    0.000000] Linux version 6.1.0 (gcc)\n[    0.000000] Command line: x\n";
  const std::string ran = stamped("usb 1-1: new device\n");
  const auto titles = [](const std::string& log) {
    std::vector<std::string> out;
    for (const auto& r : scan_console(log, "linux")) out.push_back(r.title);
    return out;
  };
  for (const auto& log :
       {boot, firmware + boot, "qemu-system-x86_64: warning: x\n" + firmware + boot,
        "Booting `Debian'\n\n" + boot, ran + "[    6.000000] reboot: Restarting system\n" + boot})
    EXPECT_THAT(titles(log), IsEmpty()) << log;
  EXPECT_THAT(titles(ran + boot), ElementsAre("unexpected kernel reboot"));
  EXPECT_THAT(titles(ran + firmware + boot), ElementsAre("unexpected kernel reboot"));
  EXPECT_THAT(titles("read(3, 4)\n" + firmware + boot), ElementsAre("unexpected kernel reboot"));
  // A crash explains it.
  EXPECT_THAT(titles(ran + stamped("Kernel panic - not syncing: x") + boot), ElementsAre("kernel panic: x"));
  // Twice in one log.
  std::string much;
  for (int i = 0; i < 200; ++i) much += stamped("line\n");
  EXPECT_THAT(titles(ran + boot + much + boot), SizeIs(2));
}

TEST(LinuxPrograms, AreNothingToStopAGuestFor) {
  const std::string go = "fatal error: out of memory\n\ngoroutine 1 [running]:\n";
  const auto reports = scan_console(go, "linux");
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ("go runtime error", reports[0].title);
  EXPECT_TRUE(reports[0].suppressed);
  EXPECT_EQ(reports[0], CrashReport::from_json(reports[0].to_json()));
  const auto& rules = console_rules_for("linux");
  for (const char* line :
       {"fatal error: out of memory", "SYZFAIL: x", "SeaBIOS (version 1)", "Booting the kernel.",
        "[    0.000000] Linux version 6.1.0", "[    5.000000] reboot: Power down"})
    EXPECT_FALSE(rules.begins_report(line)) << line;
  // The kernel's report goes on after them.
  const std::string crash = stamped("WARNING: CPU: 0 PID: 35 at a.c:1\n");
  EXPECT_EQ("WARNING in work",
            scan_console(crash + "SYZFATAL: x\n" + stamped(stack({"work"})), "linux").at(0).title);
}

}  // namespace
}  // namespace kdev::guest
