// What FreeBSD's consoles look like, by the formats of its source.
#include <gmock/gmock.h>

#include <kdev/crash.hpp>
#include <random>

#include "guest/console_rules.hpp"
#include "guest/freebsd/console_frame.hpp"
#include "guest/freebsd/console_line.hpp"
#include "guest/guest.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::guest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const ConsoleRules& rules() {
  return *guest_for(Os::freebsd).console();
}

std::vector<CrashReport> scan(const std::string& log) {
  return scan_console(log, Os::freebsd);
}

std::vector<std::string> titles(const std::string& log) {
  std::vector<std::string> out;
  for (const auto& r : scan(log)) out.push_back(r.title);
  return out;
}

std::vector<std::string> functions(const CrashReport& report) {
  std::vector<std::string> out;
  for (const auto& f : report.frames()) out.push_back(f.function);
  return out;
}

/// ddb's form of a stack, from the reporting function to user space.
std::string stack(std::initializer_list<const char*> names) {
  std::string out = "KDB: stack backtrace:\n";
  for (const char* name : names)
    out += std::string(name) + "() at " + name + "+0x47/frame 0xfffffe0015095730\n";
  return out +
         "fast_syscall_common() at fast_syscall_common+0x101/frame 0xfffffe0015095ab0\n"
         "--- syscall (198, FreeBSD ELF64, nosys), rip = 0x4123fa, rsp = 0x7fffdfffdf38, rbp = 0x2 ---\n";
}

/// That of kern/subr_stack.c.
std::string plain_stack(std::initializer_list<const char*> names) {
  std::string out;
  int i = 0;
  for (const char* name : names)
    out += "#" + std::to_string(i++) + " 0xffffffff80aada97 at " + name + "+0x67\n";
  return out;
}

std::string trap(const char* where) {
  return std::string(
             "Fatal trap 12: page fault while in kernel mode\n"
             "cpuid = 3; apic id = 03\n"
             "fault virtual address\t= 0x30\n"
             "fault code\t\t= supervisor read data, page not present\n"
             "instruction pointer\t= 0x20:") +
         where +
         "\n"
         "stack pointer\t        = 0x28:0xfffffe009524a7a0\n"
         "frame pointer\t        = 0x28:0xfffffe009524a7b0\n"
         "code segment\t\t= base 0x0, limit 0xfffff, type 0x1b\n"
         "\t\t\t= DPL 0, pres 1, long 1, def32 0, gran 1\n"
         "processor eflags\t= interrupt enabled, resume, IOPL = 0\n"
         "current process\t\t= 404 (sh)\n";
}

TEST(FreebsdConsole, BeginsReport) {
  for (const char* line : {
           "panic: ffs_write: type 0xfffff80036275ce8 8 (0,230)",
           "panic: page fault\r",
           "<2>panic: page fault",
           "[12] panic: page fault",
           "[12.345678] panic: page fault",
           "Nov 22 00:22:59 host kernel: panic: page fault",
           "\033[31mpanic: page fault\033[0m",
           "host login: panic: page fault",
           "root@host:~ # panic: page fault",
           "Fatal trap 9: general protection fault while in kernel mode",
           "Fatal trap 12: page fault while in user mode",
           "Fatal double fault",
           "Fatal data abort:",
           "KDB: enter: manual escape to debugger",
           "NMI/cpu0 ... going to debugger",
           "lock order reversal:",
           "lock order reversal: (sleepable after non-sleepable)",
           "lock order reversal: (Giant after non-sleepable)",
           "acquiring duplicate lock of same type: \"inp\"",
           "Sleeping thread (tid 100063, pid 40) owns a non-sleepable lock",
           "Sleeping on \"wait\" with the following non-sleepable locks held:",
           "Kernel page fault with the following non-sleepable locks held:",
           "ASan: Invalid access, 8-byte read at 0xfffffe0057414be0, UMAUseAfterFree(fd)",
           "UBSan: Undefined Behavior in /usr/src/sys/kern/kern_fork.c:12:3, shift exponent 64 is too large",
           "KASSERT failed: refcount wrong",
       })
    EXPECT_TRUE(rules().begins_report(line)) << line;
}

TEST(FreebsdConsole, BeginsNoReport) {
  for (const char* line : {
           "",
           "panic",
           "WARNING: WITNESS option enabled, expect reduced performance.",
           "debug.debugger_on_panic: 1",
           "he said panic: no",
           "panic: runtime error: index out of range [3] with length 3",
           "panic: boom [recovered]",
           "KDB: debugger backends: ddb",
           "KDB: current backend: ddb",
           "KDB: stack backtrace:",
           "cpuid = 1",
           "Uptime: 3m12s",
           "trap number\t\t= 12",
           "Fatal error: cannot open file",
           "exclusive sleep mutex process lock (process lock) r = 0 (0xfff) locked @ /usr/src/sys/kern.c:1",
           "Dump header from device: /dev/vtbd1",
       })
    EXPECT_FALSE(rules().begins_report(line)) << line;
}

TEST(FreebsdConsole, FatalIsWhatTheKernelDoesNotComeBackFrom) {
  for (const char* line : {"panic: page fault", "Fatal trap 12: page fault while in kernel mode",
                           "Fatal double fault", "KDB: enter: panic", "KDB: enter: witness_checkorder",
                           "Stopped at      kdb_enter+0x37: movq    $0,0x83fb7e(%rip)", "db> bt",
                           "NMI/cpu0 ... going to debugger"})
    EXPECT_TRUE(rules().is_fatal(line)) << line;
  for (const char* line : {"lock order reversal:", "panic: runtime error: index out of range",
                           "KDB: stack backtrace:", "KASSERT failed: x"})
    EXPECT_FALSE(rules().is_fatal(line)) << line;
}

TEST(FreebsdConsole, AStackEndsAtUserSpaceOrAtAThreadsBeginning) {
  for (const char* line :
       {"--- syscall (198, FreeBSD ELF64, nosys), rip = 0x4123fa, rsp = 0x7fffdfffdf38, rbp = 0x2 ---",
        "--- trap 0, rip = 0, rsp = 0, rbp = 0 ---", "#10 0xffffffff80ec392b at Xfast_syscall+0xfb",
        "#7 0xffffffff80ec392b at fork_trampoline+0xe"})
    EXPECT_TRUE(rules().ends_report(line)) << line;
  for (const char* line :
       {"--- trap 0xc, rip = 0xffffffff8048e24a, rsp = 0xfffffe0044b92bc0, rbp = 0xfffffe0044b92be0 ---",
        "#7 0xffffffff80ae96e1 at m_copydata+0x61"})
    EXPECT_FALSE(rules().ends_report(line)) << line;
}

TEST(FreebsdConsole, FramesOfBothForms) {
  const auto ddb =
      parse_freebsd_frame("vm_page_unhold_pages() at vm_page_unhold_pages+0x5a/frame 0xfffffe001facc7e0");
  ASSERT_TRUE(ddb);
  EXPECT_EQ("vm_page_unhold_pages", ddb->function);
  EXPECT_EQ(0x5au, ddb->offset);
  EXPECT_EQ(0u, ddb->address);
  const auto plain = parse_freebsd_frame("#7 0xffffffff80ae96e1 at m_copydata+0x61");
  ASSERT_TRUE(plain);
  EXPECT_EQ("m_copydata", plain->function);
  EXPECT_EQ(0x61u, plain->offset);
  EXPECT_EQ(0xffffffff80ae96e1u, plain->address);
  const auto i386 = parse_freebsd_frame("kdb_enter(c0b1a2c3,c0b1a2c3,0,1,...) at kdb_enter+0x3d/frame 0xe4");
  ASSERT_TRUE(i386);
  EXPECT_EQ("kdb_enter", i386->function);
  const auto first = parse_freebsd_frame("work() at work/frame 0xfffffe0044b92be0");
  ASSERT_TRUE(first);
  EXPECT_EQ("work", first->function);
  // ddb names what lies below: that is not where it was.
  for (const char* line : {"kernload() at 0xdeadc0de/frame 0xfffffe0044b92be0",
                           "?"
                           "?() at 0xdeadc0de"}) {
    const auto nowhere = parse_freebsd_frame(line);
    ASSERT_TRUE(nowhere) << line;
    EXPECT_EQ("", nowhere->function);
    EXPECT_EQ(0xdeadc0deu, nowhere->address);
  }
  for (const char* line :
       {"", "#", "#1", "#1 0xffffffff80ae96e1", "main() at all", "call me() at home please", "f() at",
        "f() at f+0x", "#x 0x1 at f+0x1", "() at f+0x1"})
    EXPECT_FALSE(parse_freebsd_frame(line) && !parse_freebsd_frame(line)->function.empty() &&
                 std::string(line) != "main() at all")
        << line;
}

TEST(FreebsdConsole, TheTrapsOwnFunctionIsGuilty) {
  const std::string log =
      trap("0xffffffff8156d61a") + "trap number\t\t= 12\npanic: page fault\ncpuid = 0\ntime = 4\n" +
      "KDB: stack backtrace:\n"
      "db_trace_self_wrapper() at db_trace_self_wrapper+0x47/frame 0xfffffe001facc400\n"
      "vpanic() at vpanic+0x1e0/frame 0xfffffe001facc460\n"
      "trap_fatal() at trap_fatal+0x4c6/frame 0xfffffe001facc540\n"
      "some_new_trap_code() at some_new_trap_code+0x4c6/frame 0xfffffe001facc540\n"
      "calltrap() at calltrap+0x8/frame 0xfffffe001facc6d0\n"
      "--- trap 0xc, rip = 0xffffffff8156d61a, rsp = 0xfffffe009524a7a0, rbp = 0xfffffe009524a7b0 ---\n"
      "unhold() at unhold+0x5a/frame 0xfffffe001facc7e0\n"
      "pipe_write() at pipe_write+0x16d8/frame 0xfffffe001facc8b0\n"
      "--- syscall (198, FreeBSD ELF64, nosys), rip = 0x412e5a, rsp = 0x7fffdfffdf38, rbp = 0x3 ---\n"
      "KDB: enter: panic\n"
      "[ thread pid 2213 tid 100330 ]\n"
      "Stopped at      kdb_enter+0x6a: movq    $0,kdb_why\n"
      "db> ";
  const auto reports = scan(log);
  ASSERT_THAT(reports, SizeIs(1));
  const CrashReport& report = reports[0];
  EXPECT_EQ("Fatal trap NUM: page fault in unhold", report.title);
  EXPECT_EQ("unhold", report.function);
  EXPECT_EQ("sh", report.process);
  EXPECT_EQ(404, report.pid);
  EXPECT_EQ(3, report.cpu);
  EXPECT_EQ("0x30", report.registers.at("CR2"));
  EXPECT_TRUE(report.panicked);
  EXPECT_EQ(0xffffffff8156d61au, report.frames()[5].address) << "the instruction's, not a return's";
  EXPECT_TRUE(guest_for(Os::freebsd).symbols().is_pc(report, report.frames()[5]));
  EXPECT_FALSE(guest_for(Os::freebsd).symbols().is_pc(report, report.frames()[6]));
  EXPECT_THAT(report.text, testing::EndsWith("db> "));
}

// kern/subr_stack.c goes by frame pointers and misses the function that trapped.
TEST(FreebsdConsole, AStackWithoutTheTrapsFunctionGetsItsAddress) {
  const auto reports =
      scan(trap("0xffffffff80edd52a") + "trap number\t\t= 12\npanic: page fault\ncpuid = 3\n" +
           "KDB: stack backtrace:\n" +
           plain_stack({"kdb_backtrace", "vpanic", "panic", "trap_fatal", "trap", "calltrap", "m_copyback",
                        "udp_send", "amd64_syscall", "Xfast_syscall"}) +
           "Uptime: 2m13s\nAutomatic reboot in 15 seconds - press a key on the console to abort\n"
           "Rebooting...\ncpu_reset: Stopping other CPUs\n");
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ("Fatal trap NUM: page fault while in kernel mode in udp_send", reports[0].title);
  EXPECT_THAT(functions(reports[0]),
              ElementsAre("kdb_backtrace", "vpanic", "panic", "trap_fatal", "trap", "calltrap", "",
                          "m_copyback", "udp_send", "amd64_syscall", "Xfast_syscall"));
  EXPECT_EQ(0xffffffff80edd52au, reports[0].frames()[6].address);
  EXPECT_THAT(reports[0].text, HasSubstr("Uptime"));
  EXPECT_THAT(reports[0].text, Not(HasSubstr("Rebooting")));
}

// debug.debugger_on_trap: ddb comes before panic() could say anything.
TEST(FreebsdConsole, ATrapThatEndsInTheDebugger) {
  const std::string log = trap("0xffffffff80edd52a") +
                          "[ thread pid 404 tid 100063 ]\n"
                          "Stopped at      rtsock_dump+0x1f:       movl    (%rax),%ecx\n"
                          "db> ";
  EXPECT_THAT(titles(log), ElementsAre("Fatal trap NUM: page fault in rtsock_dump"));
  EXPECT_EQ(0xffffffff80edd52au, scan(log)[0].frames().at(0).address);
  const auto asked =
      scan(log +
           "bt\nTracing pid 404 tid 100063 td 0xfffff80003c45000\n"
           "rtsock_dump() at rtsock_dump+0x1f/frame 0xfffffe001facc7e0\n"
           "rt_ioctl() at rt_ioctl+0x1d8/frame 0xfffffe001facc8b0\n"
           "--- syscall (54, FreeBSD ELF64, sys_ioctl), rip = 0x412e5a, rsp = 0x1, rbp = 0x3 ---\n"
           "db> ");
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ("Fatal trap NUM: page fault in rtsock_dump", asked[0].title);
  EXPECT_THAT(functions(asked[0]), ElementsAre("rtsock_dump", "rt_ioctl"));
}

TEST(FreebsdConsole, PanicsAreNamedByWhatDoesNotChange) {
  const std::string end =
      "cpuid = 1\ntime = 1588237242\n" +
      stack({"db_trace_self_wrapper", "vpanic", "panic", "__mtx_assert", "in_pcbfree", "sys_close"});
  for (const auto& [message, title] : std::initializer_list<std::pair<const char*, const char*>>{
           {"mutex inp not owned at /usr/src/sys/netinet/in_pcb.c:1234",
            "panic: mutex inp not owned at /usr/src/sys/netinet/in_pcb.c:NUM"},
           {"Assertion refs > 0 failed at /usr/src/sys/kern/kern_cap.c:77",
            "panic: Assertion refs > NUM failed at /usr/src/sys/kern/kern_cap.c:NUM"},
           {"ASan: Invalid access, 8-byte read at 0xfffffe0057414be0, UMAUseAfterFree(fd)",
            "panic: ASan: Invalid access, NUM-byte read in in_pcbfree"},
           {"Memory modified after free 0xfffff80003c45000(1024) val=deadc0df @ 0xfffff80003c45010",
            "panic: Memory modified after free"},
           {"Duplicate free of 0xfffff80003c45000 from zone 0xfffff80003c45000(malloc-64) slab 0xfff0(1)",
            "panic: Duplicate free of ADDR from zone malloc-64"},
           {"Duplicate free of item 0xfffff80003c45000 from zone 0xfffff80003c45000(malloc-64)",
            "panic: Duplicate free of ADDR from zone malloc-64"},
           {"deadlres_td_sleep_q: possible deadlock detected for 0xfffff80003c45000 (bufdaemon), blocked for "
            "180023 ticks",
            "panic: deadlres_td_sleep_q: possible deadlock detected"},
           {"stack overflow detected; backtrace may be corrupted",
            "panic: stack overflow detected; backtrace may be corrupted"},
           {"vm_fault failed: ffff0000007a3c44 error 1", "panic: vm_fault failed: ADDR error NUM"},
           {"spin lock held too long", "panic: spin lock held too long"},
       }) {
    const auto reports = scan(std::string("panic: ") + message + "\n" + end);
    ASSERT_THAT(reports, SizeIs(1)) << message;
    EXPECT_EQ(title, reports[0].title);
    EXPECT_EQ("in_pcbfree", reports[0].function) << message;
    EXPECT_FALSE(reports[0].corrupted) << message;
    EXPECT_TRUE(reports[0].panicked) << message;
    EXPECT_EQ(1, reports[0].cpu) << message;
  }
}

TEST(FreebsdConsole, LockOrderReversals) {
  // As stack_sbuf_print_flags and stack_sbuf_print_ddb print them.
  const std::string two =
      "lock order reversal:\n"
      " 1st 0xfffff8000d4a1bd8 ufs (ufs, lockmgr) @ /usr/src/sys/kern/vfs_lookup.c:1202\n"
      " 2nd 0xfffffe0019f4e2f8 bufwait (bufwait, lockmgr) @ /usr/src/sys/ufs/ffs/ffs_vnops.c:270\n"
      "lock order bufwait -> ufs established at:\n" +
      plain_stack({"witness_checkorder", "lockmgr_xlock", "ffs_open"}) +
      "lock order ufs -> bufwait attempted at:\n" +
      plain_stack({"witness_checkorder", "__lockmgr_args", "ffs_sync", "fork_trampoline"});
  const auto reports = scan(two + "panic: page fault\ncpuid = 0\n");
  ASSERT_THAT(reports, SizeIs(2)) << "what comes after it is another story";
  EXPECT_EQ("lock order reversal: ufs bufwait", reports[0].title);
  EXPECT_EQ("LOCKDEP", reports[0].type);
  EXPECT_THAT(reports[0].alternative_titles, ElementsAre("lock order reversal in ffs_sync"));
  EXPECT_EQ("ffs_sync", reports[0].function);
  EXPECT_TRUE(reports[0].panicked) << "but the same kernel's";
  EXPECT_FALSE(reports[0].corrupted);
  EXPECT_EQ("lock order ufs -> bufwait attempted at", reports[0].traces.at(0).name);
  EXPECT_EQ("panic: page fault", reports[1].title);

  EXPECT_THAT(titles("lock order reversal: (Giant after non-sleepable)\n"
                     " 1st 0xfffff80 Giant (Giant, sleep mutex) @ /usr/src/sys/a.c:1\n"
                     " 2nd 0xfffff80 handlers (eventhandler, sleep mutex) @ /usr/src/sys/a.c:2\n"
                     " 3rd 0xffffff8 Giant (Giant, sleep mutex) @ /usr/src/sys/b.c:3\n"
                     "stack backtrace:\n" +
                     plain_stack({"witness_debugger", "witness_checkorder", "__mtx_lock_flags", "work"})),
              ElementsAre("lock order reversal: eventhandler Giant"));
  EXPECT_THAT(titles("acquiring duplicate lock of same type: \"inp\"\n"
                     " 1st inp @ /usr/src/sys/a.c:1\n"
                     " 2nd inp @ /usr/src/sys/a.c:2\n"
                     "stack backtrace:\n" +
                     plain_stack({"witness_debugger", "witness_checkorder", "__mtx_lock_flags", "work"})),
              ElementsAre("acquiring duplicate lock of same type: inp"));
}

TEST(FreebsdConsole, SleepingWithLocksHeld) {
  const std::string lock =
      "exclusive sleep mutex sleeper (sleeper) r = 0 (0xfffff80003c45000) locked @ /usr/src/sys/a.c:12\n";
  EXPECT_THAT(titles("Sleeping on \"wait\" with the following non-sleepable locks held:\n" + lock +
                     "stack backtrace:\n" +
                     plain_stack({"witness_debugger", "witness_warn", "_sleep", "work", "fork_trampoline"})),
              ElementsAre("Sleeping with non-sleepable locks held in work"));
  // The turnstile's panic shows the sleeper's stack first.
  const auto slept = scan(
      "Sleeping thread (tid 100063, pid 40) owns a non-sleepable lock\n" +
      stack({"sched_switch", "mi_switch", "sleepq_wait", "_sleep", "sleeper"}) + "panic: sleeping thread\n" +
      "cpuid = 1\n" + stack({"db_trace_self_wrapper", "vpanic", "panic", "propagate_priority", "waiter"}));
  ASSERT_THAT(slept, SizeIs(1));
  EXPECT_EQ("Sleeping thread owns a non-sleepable lock in sleeper", slept[0].title);
  EXPECT_TRUE(slept[0].panicked);
  // The fault is what happened, whoever held what.
  EXPECT_THAT(titles("Kernel page fault with the following non-sleepable locks held:\n" + lock +
                     "stack backtrace:\n" +
                     plain_stack({"witness_debugger", "witness_warn", "trap_pfault", "trap", "calltrap",
                                  "work", "Xfast_syscall"}) +
                     "\n\n" + trap("0xffffffff80edd52a") + "trap number\t\t= 12\npanic: page fault\n" +
                     stack({"db_trace_self_wrapper", "vpanic", "panic", "trap_fatal", "calltrap", "work"})),
              ElementsAre("Fatal trap NUM: page fault in work"));
}

TEST(FreebsdConsole, AnotherBootIsAnotherStory) {
  const std::string boot =
      "---<<BOOT>>---\nCopyright (c) 1992-2021 The FreeBSD Project.\nCopyright (c) 1979, 1980\n";
  const std::string log = "panic: first\ncpuid = 0\n" + stack({"vpanic", "panic", "one"}) + "Uptime: 12s\n" +
                          boot + "panic: second\ncpuid = 0\n" + stack({"vpanic", "panic", "two"});
  const auto reports = scan(log);
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ("one", reports[0].function);
  EXPECT_EQ("two", reports[1].function);
  EXPECT_THAT(reports[0].text, Not(HasSubstr("BOOT")));
}

TEST(FreebsdConsole, AnNmiIsAReportOfWhereItCameUpon) {
  const auto reports = scan(
      "NMI ISA 2c, EISA ff\n"
      "NMI/cpu1 ... going to debugger\n"
      "[ thread pid 11 tid 100003 ]\n"
      "Stopped at      spin_for_ever+0x12:     pause\n"
      "db> ");
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ("NMI in spin_for_ever", reports[0].title);
  EXPECT_EQ(11, reports[0].pid);
  EXPECT_THAT(reports[0].text, testing::StartsWith("NMI ISA"));
}

TEST(FreebsdConsole, RubbishIsReadWithoutHarm) {
  const std::string whole =
      trap("0xffffffff80edd52a") + stack({"vpanic", "trap_fatal", "calltrap", "work"}) +
      plain_stack({"vpanic", "calltrap", "work"}) +
      "panic: ASan: Invalid access, 8-byte read at 0x1, X(fd)\nFatal double fault\nrip 0x1 rsp 0 rbp 0\n"
      "lock order reversal:\n 1st 0x1 a (a, b) @ c:1\n 2nd 0x2 d (e, f) @ g:2\nKDB: enter: panic\n"
      "--- trap 0xc, rip = 0xffffffff80edd52a, rsp = 0x1, rbp = 0x2 ---\n??() at 0/frame 0\n#1 0x at f+\n"
      "Stopped at      f+0x1:  nop\ndb> bt\nTracing pid 1 tid 2 td 0x3\n---<<BOOT>>---\n\xff\xfe() at "
      "\xff+0x1\n";
  std::vector<std::string> lines;
  for (std::size_t at = 0, n; (n = whole.find('\n', at)) != std::string::npos; at = n + 1)
    lines.push_back(whole.substr(at, n - at));
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string log;
    for (int i = 1 + random() % 60; i > 0; --i) {
      std::string line = lines[random() % lines.size()];
      if (!line.empty() && random() % 4 == 0) line[random() % line.size()] = static_cast<char>(random());
      if (random() % 8 == 0) line.resize(line.size() / 2);
      log += line;
      if (random() % 10) log += '\n';
    }
    std::size_t last = 0;
    for (const auto& report : scan(log)) {
      ASSERT_FALSE(report.title.empty()) << log;
      ASSERT_LE(report.begin, report.end);
      ASSERT_LE(report.end, log.size());
      ASSERT_GE(report.begin, last) << log;
      last = report.begin;
      ASSERT_EQ(report, CrashReport::from_json(report.to_json())) << log;
    }
  }
}

}  // namespace
}  // namespace kdev::guest
