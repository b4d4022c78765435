// Consoles of OpenBSD and NetBSD: what their kernels print, by their sources.
#include <gmock/gmock.h>

#include <kdev/crash.hpp>

#include "guest/ddb_frame.hpp"

namespace kdev::guest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string stack(const std::vector<std::string>& functions, const std::string& owner = {}) {
  std::string text;
  for (const auto& f : functions) text += f + "() at " + owner + f + "+0x1c\n";
  return text;
}

std::string openbsd(const std::string& first, const std::vector<std::string>& functions) {
  return first +
         "\nStopped at      db_enter+0x1c:  addq    $0x8,%rsp\n"
         "    TID    PID    UID     PRFLAGS     PFLAGS  CPU  COMMAND\n"
         " 160940   6886  32767        0x10          0    1K sshd\n"
         "*329264   5452  32767        0x10          0    0  my program\n" +
         stack(functions) +
         "end of kernel\nend trace frame: 0x7f7ffffe7a70, count: 4\n"
         "https://www.openbsd.org/ddb.html describes the minimum info required in bug\n"
         "reports.  Insufficient info makes it difficult to find and fix bugs.\nddb{0}> ";
}

std::string netbsd(const std::string& first, const std::vector<std::string>& functions) {
  return "[  39.1414248] " + first + "\n[  39.1692281] cpu1: Begin traceback...\n" +
         stack(functions, "netbsd:") +
         "--- syscall (number 198) ---\n[  39.8214220] cpu1: End traceback...\n";
}

std::string title(const std::string& log, const std::string& system) {
  const auto reports = scan_console(log, system);
  return reports.empty() ? "" : reports[0].title;
}

TEST(OpenbsdConsole, Panics) {
  const std::vector<std::string> in_work = {"db_enter", "panic",   "rw_enter_write",
                                            "work",     "syscall", "Xsyscall"};
  for (const auto& [line, want] : std::vector<std::pair<std::string, std::string>>{
           {"panic: vmmpepe: out of cheese", "panic: vmmpepe: out of cheese"},
           {"panic: mtx 0xffffffff82564f65: locking against myself",
            "panic: mtx ADDR: locking against myself"},
           {"panic: pool_do_get: mbufpl free list modified: page 0xfffffd8052cc1000; item addr 0xfffffd80; "
            "offset 0x0=0x1 != 0x2",
            "pool: free list modified: mbufpl"},
           {"panic: pool_cache_item_magic_check: mbufpl cpu free list modified: item addr 0xfffffd80+16 "
            "0x0!=0x1",
            "pool: cpu free list modified: mbufpl"},
           {"panic: Data modified on freelist: word 3 of object 0xffff800000640000 size 0x40 previous type "
            "temp (0x0 != 0xdeadbeef)",
            "malloc: free list modified: temp"},
           {"panic: receive 3: so 0xfffffd80, so_type 1, sb_cc 2", "soreceive 3"},
           {"panic: knote_remove:1100: kq=0xfffffd806e7c0d68 kn=0xfffffd806eb54380 knote QUEUED",
            "kqueue: knote QUEUED"},
           {"panic: kernel debugging assertion \"a == b\" failed: file \"/usr/src/sys/kern/kern_x.c\", line "
            "5",
            "assert \"a == b\" failed in kern_x.c"},
           {"panic: attempt to access user address 0x10 in supervisor mode",
            "panic: attempt to access user address"},
           {"panic: Caught invalid memory access at ffff8000352e42e0 size 8 op 0",
            "KASAN: invalid memory access in work"},
       })
    EXPECT_EQ(want, title(openbsd(line, in_work), "openbsd")) << line;
  const auto report = scan_console(openbsd("login: panic: x", in_work), "openbsd").at(0);
  EXPECT_EQ("openbsd", report.os);
  EXPECT_EQ("work", report.function);
  EXPECT_EQ("my program", report.process);
  EXPECT_EQ(5452, report.pid);
  EXPECT_EQ(0, report.cpu);
  EXPECT_EQ("DoS", report.type);
  EXPECT_THAT(report.frames(), SizeIs(6));
}

TEST(OpenbsdConsole, TrapsNameWhereTheDebuggerStopped) {
  const std::string at =
      "Stopped at      work+0x368:       movl    0x70(%rax),%r12d\nwork(1,2) at work+0x368\n"
      "end trace frame: 0xc9c12d42df0, count: 11\n";
  const auto fault = scan_console(
      "uvm_fault(0xfffffa806d1a7a20, 0x70, 0, 1) -> e\nkernel: page fault trap, code=0\n" + at, "openbsd");
  ASSERT_THAT(fault, SizeIs(1));
  EXPECT_EQ("uvm_fault: work", fault[0].title);
  EXPECT_EQ("protection_fault: work", title("kernel: protection fault trap, code=0\n" + at, "openbsd"));
  const auto cut = scan_console("kernel: page fault trap, code=0\n", "openbsd");
  ASSERT_THAT(cut, SizeIs(1));
  EXPECT_TRUE(cut[0].corrupted);
}

TEST(OpenbsdConsole, Witness) {
  const auto report = scan_console(
      "witness: lock order reversal:\n 1st 0xfffffd806d95cb48 inode (&ip->i_lock)\n"
      " 2nd 0xffffffff8277e670 netlock (netlock)\n"
      "lock order \"&ip->i_lock\"(rrwlock) -> \"netlock\"(rwlock) first seen at:\n"
      "#0  witness_checkorder+0x65e\n#1  rw_enter_write+0x5b\n#2  uvn_get+0xeb\n",
      "openbsd");
  ASSERT_THAT(report, SizeIs(1));
  EXPECT_EQ("witness: reversal: inode netlock", report[0].title);
  EXPECT_EQ("uvn_get", report[0].function);
}

TEST(NetbsdConsole, Panics) {
  const std::vector<std::string> in_work = {"vpanic", "lockdebug_abort", "mutex_enter", "work", "syscall"};
  for (const auto& [line, want] : std::vector<std::pair<std::string, std::string>>{
           {"panic: no memory for 12 things", "panic: no memory for NUM things"},
           {"panic: kernel diagnostic assertion \"x == 0\" failed: file \"/usr/src/sys/a.c\", line 5 ",
            "assert failed: x == NUM"},
           {"panic: LOCKDEBUG: Mutex error: mutex_vector_enter,551: locking against myself",
            "lock error in work"},
           {"panic: ASan: Unauthorized Access In 0xffffffff80ac2fb5: Addr 0xffff [8 bytes, read, "
            "MallocRedZone]",
            "ASan: Unauthorized Access in work"},
           {"panic: MSan: Uninitialized Kmem Memory From uvm_km_alloc()",
            "MSan: Uninitialized Memory in work"},
       })
    EXPECT_EQ(want, title(netbsd(line, in_work), "netbsd")) << line;
  const auto report = scan_console(netbsd("panic: x", in_work)).at(0);
  EXPECT_EQ("netbsd", report.os);
  EXPECT_EQ("work", report.function);
  EXPECT_EQ(1, report.cpu);
}

TEST(NetbsdConsole, TrapsAndProgramsThatPanic) {
  EXPECT_EQ("page fault in work",
            title("[ 1111.3781764] fatal page fault in supervisor mode\n"
                  "[ 1111.3882031] trap type 6 code 0 rip 0xffffffff81181b41\n"
                  "Stopped in pid 8023.2 (prog) at       netbsd:work+0x51:       movzbl  0(%rax),%r8d\n",
                  "netbsd"));
  EXPECT_THAT(scan_console("Jan  1 00:00:00 localhost postfix/pickup[596]: panic: event_init\n", "netbsd"),
              IsEmpty());
}

TEST(DdbFrame, EveryForm) {
  const auto full = parse_ddb_frame("work(ffff8000,1) at work+0x1c sys/kern/a.c:12").value();
  EXPECT_EQ("work", full.function);
  EXPECT_EQ(0x1cu, full.offset);
  EXPECT_EQ("sys/kern/a.c", full.file);
  EXPECT_EQ(12, full.line);
  const auto inlined = parse_ddb_frame("work() at netbsd:work+0x1c inner sys/kern/a.c:-1 [inline]").value();
  EXPECT_TRUE(inlined.inlined);
  EXPECT_EQ("inner", inlined.function);
  EXPECT_EQ(24u, parse_ddb_frame("work() at work+24")->offset);
  EXPECT_EQ("work", parse_ddb_frame("#10 work+0x1c")->function);
  EXPECT_EQ("if_foo", parse_ddb_frame("work() at if_foo:work+0x1")->module);
  EXPECT_EQ(0xf7u, parse_ddb_frame("f7(b,1) at 0xf7")->address);
  for (const char* line : {"", "#", "#1", "work", "work() at", "work() at ", "work() at 12", "at work+0x1",
                           "work() at work+0x1 and more words", "() at x+0x1"})
    EXPECT_FALSE(parse_ddb_frame(line)) << line;
}

}  // namespace
}  // namespace kdev::guest
