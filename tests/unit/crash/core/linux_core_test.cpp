// Dumps of a Linux kernel that the test compiles (fixture/linux_kernel.c); those of real ones are in
// tests/python/test_linux_core.py.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/error.hpp>
#include <random>

#include "unit/crash/core/fake_linux.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> functions(const std::vector<StackFrame>& frames) {
  std::vector<std::string> names;
  for (const auto& f : frames) names.push_back((f.inlined ? "\\" : "") + f.function);
  return names;
}

void check_all(const Core& core) {
  EXPECT_EQ(Os::linux, core.os());
  EXPECT_EQ("elf", core.format());
  EXPECT_EQ("x86_64", core.arch());
  EXPECT_TRUE(core.complete());
  EXPECT_EQ("Linux version 6.1.0-test (kdev) #1 SMP\n", core.version());
  EXPECT_EQ("greeted too often", core.panic());
  EXPECT_EQ(76.5, core.uptime());
  // A descriptor that is free is no message, nor is one behind the head; one text went round.
  EXPECT_EQ(
      "[    0.001500][    T1] first\n[    2.000001][    C1] two\n[    2.000001][    C1] lines\n"
      "[    3.000000][   T31] Kernel panic - not syncing: greeted too often\n[    3.000001][   T31] \n"
      "[    3.000002][   T31] ---[ end Kernel panic - not syncing: greeted too often ]\n",
      core.dmesg());
  const auto threads = core.threads();
  ASSERT_EQ(4u, threads.size());
  EXPECT_EQ("swapper/0", threads[0].name);
  EXPECT_EQ(0, threads[0].tid);
  EXPECT_EQ(0, threads[0].cpu);
  EXPECT_FALSE(threads[0].panicked);
  EXPECT_EQ(31, threads[1].tid);
  EXPECT_EQ("running", threads[1].state);
  EXPECT_EQ(1, threads[1].cpu);
  EXPECT_TRUE(threads[1].panicked);
  EXPECT_EQ(33, threads[2].tid);
  EXPECT_EQ(31, threads[2].pid);
  EXPECT_EQ("crasher", threads[2].process);
  EXPECT_EQ("helper", threads[2].name);
  EXPECT_EQ("idle", threads[2].state);
  EXPECT_EQ(-1, threads[2].cpu);
  EXPECT_EQ("runnable", threads[3].state);
  EXPECT_EQ((std::vector<CoreCpu>{{0, 0}, {1, 31}}), core.cpus());
  ASSERT_EQ(1u, core.modules().size());
  EXPECT_EQ("none", core.modules()[0].name);
  EXPECT_EQ(0xffffffffc0000000, core.modules()[0].address);

  // From the stack for interrupts to the task's, through the interrupt, to the system call.
  EXPECT_THAT(functions(core.stack(31).frames),
              ElementsAre("panic", "handle_timer", "sysvec_timer", "asm_sysvec_timer", "\\store", "greet",
                          "sys_crash", "do_syscall_64", "entry_SYSCALL_64"));
  EXPECT_THAT(functions(core.stack(33).frames), ElementsAre("__schedule", "worker", "ret_from_fork"));
  EXPECT_THAT(functions(core.stack(40).frames), ElementsAre("ret_from_fork"));
  EXPECT_THAT(functions(core.stack(0).frames), ElementsAre("cpu_idle"));

  const CrashReport report = core.report();
  EXPECT_EQ("kernel panic: greeted too often", report.title);
  EXPECT_EQ("crasher", report.process);
  EXPECT_EQ(31, report.pid);
  EXPECT_EQ(1, report.cpu);
  EXPECT_TRUE(report.symbolized);
}

class LinuxCoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { kernel = new LinuxKernel; }
  static void TearDownTestSuite() { delete kernel; }
  static LinuxKernel* kernel;
};
LinuxKernel* LinuxCoreTest::kernel = nullptr;

TEST_F(LinuxCoreTest, ReadsWithAndWithoutVmcoreinfo) {
  for (const auto& notes : {kernel->cpu_notes() + kernel->vmcoreinfo(), kernel->cpu_notes(),
                            // A kernel's own dump: the pids of tasks, the one that panicked first.
                            kernel->cpu_notes(false) + kernel->vmcoreinfo()}) {
    const Core core = kernel->open(kernel->dump(notes));
    check_all(core);
    EXPECT_THAT(core.notes(), IsEmpty());
    EXPECT_EQ("Linux version", core.read(kernel->symbols.at("linux_banner"), 13));
    EXPECT_EQ("Linux version", core.read_physical(kernel->physical("linux_banner"), 13));
    EXPECT_THROW(core.read(0xffffffff70000000, 1), FormatError);
    EXPECT_THROW(core.read(0x0000800000000000, 1), FormatError);
  }
}

TEST_F(LinuxCoreTest, AKernelThatKaslrMovedIsFound) {
  // In memory as if it had been linked 4 MiB higher; the symbols are of a file that was not.
  const LinuxKernel moved({}, "0xffffffff81400000");
  for (const auto& notes : {moved.cpu_notes() + moved.vmcoreinfo(0x400000), moved.cpu_notes()}) {
    const Core core(moved.folder().write("vmcore", moved.dump(notes)), kernel->sources());
    check_all(core);
    EXPECT_THAT(core.notes(), IsEmpty());
  }
}

TEST_F(LinuxCoreTest, WithTheKernelsIndexItSaysTheSame) {
  const LinuxKernel moved({}, "0xffffffff81400000");
  SymbolSources sources = kernel->sources();
  sources.index = kernel->folder().path() / "index";
  ASSERT_FALSE(Symbolizer(sources).build_index().empty());
  ASSERT_TRUE(Symbolizer(sources).indexed());
  for (const LinuxKernel* running : {&std::as_const(*kernel), &moved}) {
    const std::uint64_t slide = running == kernel ? 0 : 0x400000;
    const auto file =
        running->folder().write("vmcore", running->dump(running->cpu_notes() + running->vmcoreinfo(slide)));
    const Core plain(file, kernel->sources()), indexed(file, sources);
    check_all(indexed);
    EXPECT_EQ(plain.report(), indexed.report());
    for (const auto& t : plain.threads()) EXPECT_EQ(plain.stack(t.tid), indexed.stack(t.tid));
  }
}

TEST_F(LinuxCoreTest, MemoryNeedsNoKernelFileWhereTheDumpSaysWhereItIs) {
  const Core told(kernel->folder().write("vmcore", kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo())));
  EXPECT_EQ("Linux version", told.read(kernel->symbols.at("linux_banner"), 13));
  EXPECT_THAT(told.threads(), IsEmpty());
  const Core untold(kernel->folder().write("vmcore", kernel->dump(kernel->cpu_notes())));
  try {
    untold.read(kernel->symbols.at("linux_banner"), 13);
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.hint(), HasSubstr("give the kernel that crashed"));
  }
  EXPECT_EQ("", untold.dmesg());
}

TEST_F(LinuxCoreTest, AnotherKernelIsNoted) {
  const LinuxKernel other({"BANNER=\"Linux version 6.2.0-other\\n\""});
  const Core core(kernel->folder().write("vmcore", kernel->dump(kernel->cpu_notes())), other.sources());
  EXPECT_THAT(core.notes(), Contains(HasSubstr("it is not the file of the kernel that crashed")));
  const auto told = kernel->cpu_notes() + note("VMCOREINFO", 0, "BUILD-ID=0123\n");
  EXPECT_THAT(kernel->open(kernel->dump(told)).notes(), Not(Contains(HasSubstr("page tables"))));
}

TEST_F(LinuxCoreTest, MessagesHaveTimeLevelAndCaller) {
  const std::vector<CoreMessage> all{
      {0.0015, 6, "T1", "first"},
      {2.000001, 7, "C1", "two\nlines"},
      {3.0, 0, "T31", "Kernel panic - not syncing: greeted too often"},
      {3.000001, 0, "T31", ""},
      {3.000002, 0, "T31", "---[ end Kernel panic - not syncing: greeted too often ]"}};
  EXPECT_EQ(all, kernel->open(kernel->dump(kernel->cpu_notes())).messages());
  // Where the kernel's file is not there, VMCOREINFO tells the layout; of the level only what lies around it.
  std::string layout = fmt::format(
      "SYMBOL(init_top_pgt)={:x}\nNUMBER(phys_base)={}\nSYMBOL(prb)={:x}\nSIZE(prb_desc)=24\n"
      "SIZE(printk_info)=24\n",
      kernel->symbols.at("init_top_pgt"), load_address, kernel->symbols.at("prb"));
  for (const auto& [member, at] : std::map<std::string, int>{{"printk_ringbuffer.desc_ring", 0},
                                                             {"printk_ringbuffer.text_data_ring", 40},
                                                             {"prb_desc_ring.count_bits", 0},
                                                             {"prb_desc_ring.descs", 8},
                                                             {"prb_desc_ring.infos", 16},
                                                             {"prb_desc_ring.head_id", 24},
                                                             {"prb_desc_ring.tail_id", 32},
                                                             {"prb_data_ring.size_bits", 0},
                                                             {"prb_data_ring.data", 8},
                                                             {"prb_desc.state_var", 0},
                                                             {"prb_desc.text_blk_lpos", 8},
                                                             {"prb_data_blk_lpos.begin", 0},
                                                             {"prb_data_blk_lpos.next", 8},
                                                             {"printk_info.ts_nsec", 8},
                                                             {"printk_info.text_len", 16}})
    layout += fmt::format("OFFSET({})={}\n", member, at);
  const auto opened = [&](int caller_at) {
    const auto text = layout + fmt::format("OFFSET(printk_info.caller_id)={}\n", caller_at);
    return Core(
        kernel->folder().write("vmcore", kernel->dump(kernel->cpu_notes() + note("VMCOREINFO", 0, text))));
  };
  EXPECT_EQ(all, opened(20).messages());
  auto unknown = opened(24).messages();
  ASSERT_EQ(all.size(), unknown.size());
  for (const auto& message : unknown) EXPECT_EQ(-1, message.level) << message.text;
}

TEST_F(LinuxCoreTest, TellsItsVmcoreinfoFromTheNoteOrFromMemory) {
  const auto noted = kernel->cpu_notes() + kernel->vmcoreinfo();
  EXPECT_THAT(kernel->open(kernel->dump(noted)).vmcoreinfo(), HasSubstr("NUMBER(phys_base)="));
  const auto unnoted = kernel->dump(kernel->cpu_notes());
  EXPECT_EQ("OSRELEASE=6.1.0-test\nKEPT=in memory\n", kernel->open(unnoted).vmcoreinfo());
  EXPECT_EQ("", Core(kernel->folder().write("vmcore", unnoted)).vmcoreinfo());
  // What lies there has to be one.
  const LinuxKernel other({"VMCOREINFO=\"nothing like it\""});
  EXPECT_EQ("", other.open(other.dump(other.cpu_notes())).vmcoreinfo());
}

TEST_F(LinuxCoreTest, KeepsItsNotesAndTheNameOfItsFile) {
  const Core core = kernel->open(kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo()));
  std::vector<std::string> names;
  for (const auto& n : core.elf_notes()) names.push_back(n.name);
  EXPECT_THAT(names, ElementsAre("CORE", "CORE", "QEMU", "VMCOREINFO"));
  EXPECT_EQ(336u, core.elf_notes()[0].data.size());
  EXPECT_EQ(kernel->sources().vmlinux, core.kernel_file());
  EXPECT_GT(core.physical_end(), load_address);
}

TEST_F(LinuxCoreTest, LooksUpWhatIsAtAnAddress) {
  const LinuxKernel moved({}, "0xffffffff81400000");
  const Core core(moved.folder().write("vmcore", moved.dump(moved.cpu_notes() + moved.vmcoreinfo(0x400000))),
                  kernel->sources());
  const auto panic = moved.symbols.at("panic"), banner = moved.symbols.at("linux_banner");
  EXPECT_EQ((SymbolMatch{"panic", panic, 4, 'T'}), core.lookup(panic + 4));
  EXPECT_EQ((SymbolMatch{"linux_banner", banner, 6, 'R'}), core.lookup(banner + 6));
  EXPECT_FALSE(core.lookup(16));                  // an offset
  EXPECT_FALSE(core.lookup(0xffff888000000000));  // memory without a name
  EXPECT_FALSE(core.lookup(UINT64_MAX));
  EXPECT_FALSE(Core(moved.folder() / "vmcore").lookup(panic));  // no symbols
}

TEST_F(LinuxCoreTest, MessagesBefore510) {
  const LinuxKernel old({"OLD_LOG"});
  const auto messages = old.open(old.dump(old.cpu_notes())).messages();
  ASSERT_EQ(3u, messages.size());
  EXPECT_EQ((CoreMessage{1.0, 4, "", "first"}), messages[0]);
  EXPECT_EQ("[    1.000000] first\n[    2.000000] two\n[    2.000000] line\n[    5.000000] Kernel pa\n",
            old.open(old.dump(old.cpu_notes())).dmesg());
}

TEST_F(LinuxCoreTest, LocksAreFoundByWhoSleepsForThem) {
  const LinuxKernel locked({"LOCKED"});
  const Core core = locked.open(locked.dump(locked.cpu_notes()));
  EXPECT_THAT(functions(core.stack(33).frames), ElementsAre("__schedule", "__mutex_lock", "worker"));
  const CoreLock want{.address = locked.symbols.at("the_mutex"),
                      .kind = "mutex",
                      .name = "the_mutex",
                      .holders = {31},
                      .waiters = {33, 40}};
  EXPECT_THAT(core.locks(), ElementsAre(want));
  EXPECT_THAT(kernel->open(kernel->dump(kernel->cpu_notes())).locks(), IsEmpty());
  // Its own holder waits for it.
  FakeMemory memory = locked.memory;
  memory.put_number(locked.physical("the_mutex"), locked.symbols.at("thread3") + 3);
  ASSERT_THAT(locked.open(locked.dump(locked.cpu_notes(), memory)).locks(), testing::SizeIs(1));
  EXPECT_TRUE(locked.open(locked.dump(locked.cpu_notes(), memory)).locks()[0].deadlock);
  // Lists that lead nowhere, or round, are none.
  for (int n : {116, 117, 141, 142})
    for (const std::uint64_t value :
         {std::uint64_t{0}, locked.stack(2, 141), locked.stack(2, 116), ~std::uint64_t{0}}) {
      memory = locked.memory;
      memory.put_number(FakeMemory::physical(locked.stack(2, n)), value);
      EXPECT_LE(locked.open(locked.dump(locked.cpu_notes(), memory)).locks().size(), 1u);
    }
}

TEST_F(LinuxCoreTest, ThePanicsBufferIsLeftWhenMessagesAreLost) {
  FakeMemory memory = kernel->memory;
  memory.put_number(kernel->physical("prb"), 0);
  const Core core = kernel->open(kernel->dump(kernel->cpu_notes(), memory));
  EXPECT_EQ("", core.dmesg());
  EXPECT_EQ("kept in its buffer", core.panic());
  EXPECT_EQ("kernel panic: kept in its buffer", core.report().title);
}

TEST_F(LinuxCoreTest, AssemblyCodeIsUnwoundByOrc) {
  const std::vector<std::string> early{"ORC_CALL=0x5", "ORC_REGS=0x105", "ORC_END=0x400"},
      since_6_4{"ORC_CALL=0x205", "ORC_REGS=0x305", "ORC_END=0x100", "ORC_HEADER=0xfe"};
  for (const auto& defines : {early, since_6_4}) {
    const LinuxKernel orc(defines);
    EXPECT_THAT(functions(orc.open(orc.dump(orc.cpu_notes())).stack(33).frames),
                ElementsAre("__schedule", "asm_worker", "worker", "weird_entry", "\\store", "greet",
                            "sys_crash", "asm_end"));
  }
  // Of a layout that is not known nothing is believed: frame pointers lead on, and miss the caller.
  auto unknown = since_6_4;
  unknown.back() = "ORC_HEADER=0xff";
  const LinuxKernel orc(unknown);
  EXPECT_THAT(functions(orc.open(orc.dump(orc.cpu_notes())).stack(33).frames),
              ElementsAre("__schedule", "asm_worker", "weird_entry"));
}

TEST_F(LinuxCoreTest, InItsOwnDumpRegistersAreThoseThatEachCpuLeft) {
  const LinuxKernel own({"CRASH_NOTES"});
  FakeMemory memory = own.memory;
  memory.put(own.physical("the_notes") + 8,
             prstatus(31, own.symbols.at("panic") + 16, own.stack(1, 490), own.stack(1, 500)));
  // CPU 0 was not stopped, and the file's note is of another dump.
  const auto stale = prstatus(31, own.symbols.at("cpu_idle") + 16, own.stack(3, 400), own.stack(3, 402));
  const Core core = own.open(own.dump(stale + own.vmcoreinfo(), memory));
  EXPECT_THAT(functions(core.stack(31).frames),
              ElementsAre("panic", "handle_timer", "sysvec_timer", "asm_sysvec_timer", "\\store", "greet",
                          "sys_crash", "do_syscall_64", "entry_SYSCALL_64"));
  EXPECT_THAT(core.stack(0).frames, IsEmpty());
}

TEST_F(LinuxCoreTest, OneThatRanAProgramHasNoStack) {
  const auto notes = prstatus(1, 0x400000, 0x7fff0000, 0, 0x33) + note("QEMU", 0, std::string(440, '\0'));
  EXPECT_THAT(kernel->open(kernel->dump(notes)).stack(0).frames, IsEmpty());
}

TEST_F(LinuxCoreTest, ListsWithoutAnEndAreCut) {
  const LinuxKernel cyclic({"CYCLE"});
  const Core core = cyclic.open(cyclic.dump(cyclic.cpu_notes()));
  EXPECT_EQ(1u, core.modules().size());
  EXPECT_EQ(4u, core.threads().size());
  EXPECT_THAT(core.notes(), Contains("the list of modules has no end"));
  EXPECT_THAT(core.notes(), Contains("the list of tasks has no end"));
}

TEST_F(LinuxCoreTest, TruncatedAnywhereItIsAnErrorOrSaysSo) {
  const auto whole = kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo());
  for (std::size_t size = 1; size < whole.size(); size *= 2) {
    SCOPED_TRACE(size);
    try {
      const Core core = kernel->open(whole.substr(0, size));
      EXPECT_FALSE(core.complete());
      core.dmesg();
      core.modules();
      for (const auto& t : core.threads()) core.stack(t.tid);
      core.locks();
      core.report();
    } catch (const FormatError&) {
    }
  }
}

TEST_F(LinuxCoreTest, AFlattenedDumpIsPutTogether) {
  const auto file = flattened(kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo()));
  const Core core = kernel->open(file);
  EXPECT_EQ("elf, flattened", core.format());
  EXPECT_TRUE(core.complete());
  EXPECT_EQ("greeted too often", core.panic());
  EXPECT_EQ(9u, core.stack(31).frames.size());
  for (std::size_t size = 1; size < file.size(); size *= 2) {
    SCOPED_TRACE(size);
    try {
      EXPECT_FALSE(kernel->open(file.substr(0, size)).complete());
    } catch (const FormatError&) {
    }
  }
  // Its end is what is missing: pieces that come first in memory, and with the last of them the header.
  EXPECT_FALSE(kernel->open(file.substr(0, file.size() - 50000)).complete());
  EXPECT_THROW(kernel->open(file.substr(0, file.size() - 100020)), FormatError);
  for (const std::size_t field : {16, 24, 4096, 4104}) {
    auto bad = file;
    bad[field] = '\x7f';
    try {
      EXPECT_THAT(kernel->open(bad).notes(), Contains(HasSubstr("damaged")));
    } catch (const FormatError& error) {
      EXPECT_THAT(error.reason(), HasSubstr(field < 4096 ? "which kdev does not read" : "it is"));
    }
  }
}

TEST_F(LinuxCoreTest, AbsurdNumbersAreNoTrouble) {
  for (const char* name : {"prb", "the_ring", "descs", "infos", "init_task", "task1", "thread3", "task2",
                           "signal1", "modules", "module1", "sections", "current_task", "__per_cpu_offset",
                           "__cpu_present_mask", "hardirq_stack_ptr", "panic_cpu", "tk_core"}) {
    for (const std::uint64_t value : {~0ull, 0x8000000000000000ull, 1ull, 0xffffffff81000001ull}) {
      FakeMemory memory = kernel->memory;
      for (int i = 0; i < 12; ++i)
        memory.put_number(kernel->physical(name) + 8 * static_cast<std::uint64_t>(i), value);
      const Core core = kernel->open(kernel->dump(kernel->cpu_notes() + kernel->vmcoreinfo(), memory));
      core.dmesg();
      core.modules();
      core.cpus();
      core.uptime();
      core.locks();
      for (const auto& t : core.threads()) core.registers(t.tid);
      core.report();
    }
  }
}

TEST_F(LinuxCoreTest, ACorruptStackEnds) {
  std::mt19937_64 random(1);
  const auto base = kernel->symbols.at("stacks");
  for (int round = 0; round < 60; ++round) {
    FakeMemory memory = kernel->memory;
    for (std::uint64_t i = 0; i < 2 * 512; ++i) {
      // Anything, but mostly what looks like frames, and switches of stacks.
      const std::uint64_t choices[] = {base + random() % 8192,
                                       kernel->symbols.at("panic") + random() % 32,
                                       kernel->symbols.at("asm_sysvec_timer") + 16,
                                       kernel->stack(1, 511),
                                       random(),
                                       0x10};
      memory.put_number(kernel->physical("stacks") + 8 * i, choices[random() % 6]);
    }
    const Core core = kernel->open(kernel->dump(kernel->cpu_notes(), memory));
    EXPECT_LE(core.stack(31).frames.size(), 3000u);
  }
}

}  // namespace
}  // namespace kdev
