#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/crash.hpp>
#include <random>

namespace kdev {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::vector<std::string> titles(const std::vector<CrashReport>& reports) {
  std::vector<std::string> out;
  for (const auto& r : reports) out.push_back(r.title);
  return out;
}

std::vector<std::string> functions(const CrashReport& report) {
  std::vector<std::string> out;
  for (const auto& f : report.frames()) out.push_back((f.reliable ? "" : "? ") + f.function);
  return out;
}

/// Each line with a prefix; lines are separated by '\n'.
std::string prefixed(std::string_view prefix, std::string_view text, std::string_view suffix = "") {
  std::string out;
  while (!text.empty()) {
    const auto n = text.find('\n');
    out += fmt::format("{}{}{}\n", prefix, text.substr(0, n), suffix);
    text.remove_prefix(n == std::string_view::npos ? text.size() : n + 1);
  }
  return out;
}

constexpr std::string_view warning =
    "------------[ cut here ]------------\n"
    "WARNING: CPU: 0 PID: 35 at drivers/foo.c:90 foo_warn+0x1f/0x30\n"
    "Modules linked in: bar(O)\n"
    "CPU: 0 PID: 35 Comm: my prog Tainted: G        W  O       6.1.192 #1 \n"
    "RIP: 0010:foo_warn+0x1f/0x30\n"
    "RSP: 0018:ffffc90000133dd0 EFLAGS: 00000296\n"
    "Call Trace:\n"
    " <TASK>\n"
    " bar_write+0x14/0x20 [bar]\n"
    " vfs_write+0xa2/0x2c0\n"
    " </TASK>\n"
    "---[ end trace 0000000000000000 ]---\n";

constexpr std::string_view bug =
    "kernel BUG at fs/foo.c:1!\n"
    "invalid opcode: 0000 [#1] SMP\n"
    "CPU: 1 PID: 7 Comm: other Not tainted 6.1.192 #1 \n"
    "RIP: 0010:foo_bug+0x1/0x30\n"
    "Call Trace:\n"
    " <IRQ>\n"
    " foo_irq+0x14/0x20\n"
    " </IRQ>\n"
    "---[ end trace 0000000000000000 ]---\n";

TEST(Scanner, NothingInNothing) {
  EXPECT_THAT(scan_console(""), IsEmpty());
  EXPECT_THAT(scan_console("\n\n\n"), IsEmpty());
  EXPECT_THAT(scan_console(std::string(100, '\0')), IsEmpty());
}

TEST(Scanner, EveryPrefixGivesTheSameFacts) {
  const auto plain = scan_console(prefixed("[    1.000000] ", warning)).at(0);
  EXPECT_EQ("WARNING in foo_warn", plain.title);
  EXPECT_EQ("my prog", plain.process);
  EXPECT_EQ(35, plain.pid);
  EXPECT_EQ("Tainted: G        W  O", plain.taint);
  EXPECT_EQ("6.1.192", plain.release);
  EXPECT_EQ("TASK", plain.traces.at(0).context);
  EXPECT_THAT(functions(plain), ElementsAre("foo_warn", "bar_write", "vfs_write"));
  EXPECT_EQ("bar", plain.frames()[1].module);
  for (const char* prefix :
       {"", "<4>[    1.000000] ", "[    1.000000][   T35] ", "[    1.000000] <4>",
        "Nov 22 00:22:59 host kernel: [    1.000000] ", "\033[33m[    1.000000]\033[0m "}) {
    const auto reports = scan_console(prefixed(prefix, warning, "\r"));
    ASSERT_THAT(reports, SizeIs(1)) << prefix;
    auto report = reports[0];
    EXPECT_EQ(plain.title, report.title) << prefix;
    EXPECT_EQ(plain.process, report.process) << prefix;
    EXPECT_EQ(plain.taint, report.taint) << prefix;
    EXPECT_EQ(plain.registers, report.registers) << prefix;
    EXPECT_EQ(plain.traces, report.traces) << prefix;
  }
}

TEST(Scanner, CallersKeepInterleavedReportsApart) {
  // Line by line in turn, as two CPUs print.
  std::string log, a = prefixed("[    1.000000][   T35] ", warning),
                   b = prefixed("[    1.000000][    C1] ", bug);
  while (!a.empty() || !b.empty())
    for (auto* text : {&a, &b}) {
      const auto n = text->find('\n');
      if (n == std::string::npos) continue;
      log += text->substr(0, n + 1);
      text->erase(0, n + 1);
    }
  const auto reports = scan_console(log);
  ASSERT_THAT(titles(reports), testing::UnorderedElementsAre("WARNING in foo_warn", "kernel BUG in foo_bug"));
  for (const auto& report : reports) {
    EXPECT_FALSE(report.corrupted);
    if (report.kind == "warning") {
      EXPECT_EQ("my prog", report.process);
      EXPECT_THAT(functions(report), ElementsAre("foo_warn", "bar_write", "vfs_write"));
    } else {
      EXPECT_EQ("other", report.process);
      EXPECT_EQ("IRQ", report.traces.at(0).context);
      EXPECT_THAT(functions(report), ElementsAre("foo_bug", "foo_irq"));
    }
  }
}

TEST(Scanner, AllReportsInOrderWithTheConsoleBefore) {
  const std::string log = "[    0.500000] first words\n" + prefixed("[    1.000000] ", warning) +
                          "[    1.500000] between\n" + prefixed("[    2.000000] ", bug) +
                          "[    9.000000] after\n";
  const auto reports = scan_console(log);
  ASSERT_THAT(titles(reports), ElementsAre("WARNING in foo_warn", "kernel BUG in foo_bug"));
  EXPECT_EQ("[    0.500000] first words\n", reports[0].dmesg);
  EXPECT_EQ("[    1.500000] between\n", reports[1].dmesg);
  EXPECT_EQ(prefixed("[    1.000000] ", warning), reports[0].text);
  EXPECT_EQ(prefixed("[    2.000000] ", bug), reports[1].text);
  EXPECT_FALSE(reports[0].panicked);
}

TEST(Scanner, ThePanicThatFollowsBelongsToIt) {
  const std::string log =
      prefixed("[    1.000000] ", warning) +
      "[    1.000001] Kernel panic - not syncing: kernel: panic_on_warn set ...\n"
      "[    1.000002] Kernel Offset: 0x1e000000 from 0xffffffff81000000 (relocation range: "
      "0xffffffff80000000-0xffffffffbfffffff)\n"
      "[    1.000003] Rebooting in 1 seconds..\n";
  const auto reports = scan_console(log);
  ASSERT_THAT(titles(reports), ElementsAre("WARNING in foo_warn"));
  EXPECT_TRUE(reports[0].panicked);
  EXPECT_EQ(0x1e000000, reports[0].kaslr_offset);
  EXPECT_EQ(log.size(), reports[0].end);
}

TEST(Scanner, ALaterPanicIsAReportOfItsOwn) {
  std::string log = prefixed("[    1.000000] ", warning);
  for (int i = 0; i < 30; ++i) log += fmt::format("[    2.{:06}] all is well {}\n", i, i);
  log += "[    3.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300\n";
  const auto reports = scan_console(log);
  EXPECT_THAT(titles(reports), ElementsAre("WARNING in foo_warn", "kernel panic: Attempted to kill init!"));
  EXPECT_TRUE(reports.at(0).panicked) << "the same kernel's end all the same";
  EXPECT_TRUE(reports.at(1).panicked);
}

TEST(Scanner, APanicOfTheNextBootIsNotThisKernels) {
  const std::string panic = "[    3.000000] Kernel panic - not syncing: Attempted to kill init!\n";
  const std::string reports_of_both =
      prefixed("[    1.000000] ", warning) + prefixed("[    2.000000] ", bug) + panic;
  for (const auto& report : scan_console(reports_of_both)) EXPECT_TRUE(report.panicked) << report.title;
  for (const std::string between : {"[    2.500000] reboot: Restarting system\n",
                                    "[    0.000000] Linux version 6.1.0 (a@b) (gcc) #1 SMP\n"}) {
    const auto reports = scan_console(prefixed("[    1.000000] ", warning) + between + panic);
    ASSERT_FALSE(reports.empty());
    EXPECT_EQ("WARNING in foo_warn", reports[0].title);
    EXPECT_FALSE(reports[0].panicked) << between;
    EXPECT_TRUE(reports.back().panicked) << between;
  }
}

TEST(Scanner, CutOffReportsAreSaidToBe) {
  const std::string log = prefixed("[    1.000000] ", warning);
  const auto before_trace = scan_console(log.substr(0, log.find("Call Trace")));
  ASSERT_THAT(before_trace, SizeIs(1));
  EXPECT_TRUE(before_trace[0].corrupted);
  const auto first_line =
      scan_console("[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n");
  ASSERT_THAT(first_line, SizeIs(1));
  EXPECT_TRUE(first_line[0].corrupted);
  EXPECT_EQ("BUG: unable to handle kernel NULL pointer dereference in corrupted", first_line[0].title);
}

TEST(Scanner, TheNextKernelIsNotPartOfIt) {
  const std::string head = prefixed("[    1.000000] ", bug);
  const auto reports =
      scan_console(head + "[    0.000000] Linux version 6.1.192 (gcc)\n[    0.000000] Command line: x\n");
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(head.size(), reports[0].end);
}

TEST(Scanner, Kasan) {
  const auto reports =
      scan_console(prefixed("[    1.000000] ",
                            "==================================================================\n"
                            "BUG: KASAN: slab-out-of-bounds in memcpy+0x1d/0x40\n"
                            "Write of size 4 at addr ffff88003a6bd110 by task cat/99\n"
                            "\n"
                            "CPU: 1 PID: 99 Comm: cat Not tainted 6.1.192 #1\n"
                            "Call Trace:\n"
                            " <TASK>\n"
                            " dump_stack_lvl+0x34/0x48\n"
                            " print_report+0x170/0x47f\n"
                            " ? foo_write+0x1/0x30\n"
                            " kasan_report+0xa0/0xd0\n"
                            " kasan_check_range+0x1/0x30\n"
                            " memcpy+0x1d/0x40\n"
                            " foo_write.isra.0+0x1c/0x30\n"
                            " vfs_write+0xa2/0x2c0\n"
                            " </TASK>\n"
                            "\n"
                            "Allocated by task 98:\n"
                            " kasan_save_stack+0x1e/0x40\n"
                            " foo_alloc+0x1/0x2\n"
                            "\n"
                            "Freed by task 97:\n"
                            " kasan_save_stack+0x1e/0x40\n"
                            " foo_free+0x1/0x2\n"
                            "\n"
                            "The buggy address belongs to the object at ffff88003a6bd100\n"
                            "==================================================================\n"
                            "Disabling lock debugging due to kernel taint\n"));
  ASSERT_THAT(reports, SizeIs(1));
  const auto& r = reports[0];
  EXPECT_EQ("KASAN: slab-out-of-bounds Write in foo_write", r.title);
  EXPECT_EQ("KASAN-WRITE", r.type);
  EXPECT_THAT(r.alternative_titles, ElementsAre("bad-access in foo_write"));
  EXPECT_EQ("foo_write.isra.0", r.function);
  EXPECT_EQ("cat", r.process);
  EXPECT_EQ(99, r.pid);
  ASSERT_THAT(r.traces, SizeIs(3));
  EXPECT_EQ("Allocated by task 98", r.traces[1].name);
  EXPECT_EQ("foo_alloc", r.traces[1].frames.at(1).function);
  EXPECT_EQ("Freed by task 97", r.traces[2].name);
  EXPECT_THAT(r.text, Not(HasSubstr("Disabling")));
}

TEST(Scanner, LockdepNamesTheLockTaken) {
  const auto reports = scan_console(prefixed("[    1.000000] ",
                                             "======================================================\n"
                                             "WARNING: possible circular locking dependency detected\n"
                                             "6.1.192 #1 Not tainted\n"
                                             "------------------------------------------------------\n"
                                             "cat/99 is trying to acquire lock:\n"
                                             "ffff888003a6bd10 (&b->lock){+.+.}-{3:3}, at: foo_b+0x1d/0x40\n"
                                             "\n"
                                             "but task is already holding lock:\n"
                                             "ffff888003a6bd20 (&a->lock){+.+.}-{3:3}, at: foo_a+0x1d/0x40\n"
                                             "\n"
                                             "the existing dependency chain (in reverse order) is:\n"
                                             "\n"
                                             "-> #1 (&a->lock){+.+.}-{3:3}:\n"
                                             "       __mutex_lock+0x16f/0x1a80\n"
                                             "       foo_other+0x16/0x20\n"
                                             "\n"
                                             "stack backtrace:\n"
                                             "CPU: 1 PID: 99 Comm: cat Not tainted 6.1.192 #1\n"
                                             "Call Trace:\n"
                                             " dump_stack_lvl+0x34/0x48\n"
                                             " __lock_acquire+0x1/0x2\n"
                                             " foo_b+0x1d/0x40\n"));
  ASSERT_THAT(titles(reports), ElementsAre("possible deadlock in foo_b"));
  EXPECT_EQ("LOCKDEP", reports[0].type);
  ASSERT_THAT(reports[0].traces, SizeIs(2));
  EXPECT_EQ("Call Trace", reports[0].traces[0].name);
  EXPECT_EQ("-> #1 (&a->lock){+.+.}-{3:3}", reports[0].traces[1].name);
}

TEST(Scanner, Arm64) {
  const auto reports = scan_console(
      prefixed("[    1.000000] ",
               "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\n"
               "Mem abort info:\n"
               "  ESR = 0x0000000096000005\n"
               "Internal error: Oops: 0000000096000005 [#1] SMP\n"
               "CPU: 0 PID: 33 Comm: sh Not tainted 6.1.192 #1\n"
               "Hardware name: linux,dummy-virt (DT)\n"
               "pstate: 604000c5 (nZCv daIF +PAN -UAO -TCO -DIT -SSBS BTYPE=--)\n"
               "pc : foo_read+0x1c/0x30 [foo]\n"
               "lr : foo_read+0x10/0x30 [foo]\n"
               "sp : ffff80001289b8b0\n"
               "x29: ffff80001289b990 x28: 0000000000000001 x27: ffff80000d30c000\n"
               "Call trace:\n"
               " foo_read+0x1c/0x30 [foo]\n"
               " vfs_read+0x98/0x2c0\n"
               "Code: aa0003f3 d503201f (f9400a60)\n"
               "---[ end trace 0000000000000000 ]---\n"));
  ASSERT_THAT(titles(reports),
              ElementsAre("BUG: unable to handle kernel NULL pointer dereference in foo_read"));
  EXPECT_THAT(functions(reports[0]), ElementsAre("foo_read", "vfs_read"));
  EXPECT_EQ("ffff80001289b990", reports[0].registers.at("x29"));
  EXPECT_EQ("foo_read+0x1c/0x30 [foo]", reports[0].registers.at("PC"));
}

TEST(Scanner, BytesThatAreNoTextSurviveJson) {
  std::string log = prefixed("[    1.000000] ", warning);
  log.replace(log.find("my prog"), 7, "\xff\xfe\x80pr\xc3(");
  const auto reports = scan_console(log);
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0], CrashReport::from_json(reports[0].to_json()));
}

TEST(Scanner, EachSystemHasFormatsOfItsOwn) {
  EXPECT_THAT(titles(scan_console("panic: foo\n", Os::freebsd)), ElementsAre("panic: foo"));
  EXPECT_THAT(scan_console("panic: foo\n", Os::linux), IsEmpty());
}

/// Lines and pieces of reports, thrown together.
std::string rubbish(std::mt19937& random) {
  static const std::vector<std::string> lines = [] {
    std::vector<std::string> all;
    for (auto text : {warning, bug}) {
      std::string s(text);
      for (std::size_t at = 0, n; (n = s.find('\n', at)) != std::string::npos; at = n + 1)
        all.push_back(s.substr(at, n - at));
    }
    for (const char* extra :
         {"BUG: KASAN: use-after-free in f+0x1/0x2", "Read of size 8 at addr 0 by task a/1",
          "-> #0 (x){}:", "INFO: task a:1 blocked for more than 9 seconds.", "Kernel panic - not syncing: x",
          "\033[1m\033", "[<", "[", "==========================", "Linux version 6",
          "unreferenced object 0xffff (size 9):", "",
          "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "<IRQ> <", "RIP: 0010:", "? ", "\xff\xff"})
      all.push_back(extra);
    return all;
  }();
  std::string log;
  for (int i = 1 + random() % 80; i > 0; --i) {
    switch (random() % 4) {
      case 0:
        log += "[    1.000000] ";
        break;
      case 1:
        log += fmt::format("[    1.000000][   T{}] ", random() % 3);
        break;
      case 2:
        log += "<4>";
        break;
      default:
        break;
    }
    std::string line = lines[random() % lines.size()];
    if (!line.empty() && random() % 4 == 0) line[random() % line.size()] = static_cast<char>(random());
    if (random() % 8 == 0) line.resize(line.size() / 2);
    log += line;
    if (random() % 10) log += '\n';
  }
  return log;
}

TEST(Scanner, RubbishIsReadWithoutHarm) {
  std::mt19937 random(7);
  for (int i = 0; i < 400; ++i) {
    const std::string log = rubbish(random);
    std::size_t last = 0;
    for (const auto& report : scan_console(log)) {
      ASSERT_FALSE(report.title.empty()) << log;
      ASSERT_LE(report.begin, report.end);
      ASSERT_LE(report.end, log.size());
      ASSERT_GE(report.begin, last) << log;  // in order
      last = report.begin;
      ASSERT_EQ(report, CrashReport::from_json(report.to_json())) << log;
      ASSERT_FALSE(report.to_text().empty());
    }
  }
}

TEST(Scanner, HostileSizes) {
  // Each of these is quadratic for a careless reader: as a test they end in seconds or not at all.
  std::string starts, one_line, callers;
  for (int i = 0; i < 100000; ++i) {
    starts += "[    1.000000] BUG: KASAN: \n";
    one_line += "[    1.000000] kernel BUG at x";
    callers += fmt::format("[    1.000000][ T{}] kernel BUG at x\n", i);
  }
  EXPECT_THAT(scan_console(starts), SizeIs(10000));
  EXPECT_THAT(scan_console(callers), SizeIs(10000));
  EXPECT_FALSE(scan_console(one_line).empty());
  std::string frames = "[    1.000000] kernel BUG at x\nCall Trace:\n";
  for (int i = 0; i < 100000; ++i) frames += " f+0x1/0x2\n";
  EXPECT_THAT(scan_console(frames), SizeIs(1));
  EXPECT_THAT(scan_console(std::string(4 << 20, '[')), IsEmpty());
  EXPECT_THAT(scan_console("kernel BUG at " + std::string(4 << 20, 'x')), SizeIs(1));
}

}  // namespace
}  // namespace kdev
