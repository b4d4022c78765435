#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/filesystem.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <random>

#include "unit/crash/core/fake_dump.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string messages =
    "start of a line that was overwritten\n<118>a program's\n\n\nFatal trap 12: page fault while in kernel "
    "mode\n"
    "cpuid = 0; apic id = 00\nfault virtual address\t= 0x10\ncurrent process\t\t= 18 (rescue)\ntrap "
    "number\t\t= 12\n"
    "panic: page fault\ncpuid = 0\ntime = 1700000000\n";

/// What was written last comes first in the buffer: it went round.
std::string wrapped(std::size_t* written) {
  std::string raw(4096, '\0');
  const std::size_t at = 4096 - 200;
  for (std::size_t i = 0; i < messages.size(); ++i) raw[(at + i) % raw.size()] = messages[i];
  *written = at + messages.size();
  return raw;
}

std::vector<std::string> functions(const std::vector<StackFrame>& frames) {
  std::vector<std::string> names;
  for (const auto& f : frames) names.push_back((f.inlined ? "\\" : "") + f.function);
  return names;
}

class CoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::size_t written = 0;
    raw_messages = new std::string(wrapped(&written));
    kernel = new FakeKernel({}, "", written);
    kernel->memory.put(kernel->physical("messages"), *raw_messages);
  }
  static void TearDownTestSuite() {
    delete kernel;
    delete raw_messages;
  }
  static std::string minidump(int version) { return kernel->memory.minidump(version, *raw_messages); }
  static std::string full() { return kernel->memory.elf(kernel->physical("KPML4phys")); }
  static Core opened(const std::string& bytes) {
    return Core(kernel->folder().write("vmcore", bytes), kernel->sources());
  }

  static FakeKernel* kernel;
  static std::string* raw_messages;
};
FakeKernel* CoreTest::kernel = nullptr;
std::string* CoreTest::raw_messages = nullptr;

/// What holds of the dump in every format.
void check_all(const Core& core) {
  EXPECT_EQ(Os::freebsd, core.os());
  EXPECT_EQ("x86_64", core.arch());
  EXPECT_TRUE(core.complete());
  EXPECT_EQ("page fault", core.panic());
  EXPECT_EQ("FreeBSD 13.2-RELEASE TEST\n", core.version());
  EXPECT_EQ(77, core.uptime());
  std::string text = messages;
  text.erase(text.find("<118>"), 5);
  EXPECT_EQ(text, core.dmesg());

  const auto threads = core.threads();
  ASSERT_EQ(4u, threads.size());
  const CoreThread& crasher = threads[0];
  EXPECT_EQ(18, crasher.pid);
  EXPECT_EQ(100041, crasher.tid);
  EXPECT_EQ("rescue", crasher.process);
  EXPECT_EQ("crasher", crasher.name);
  EXPECT_EQ("running", crasher.state);
  EXPECT_EQ(0, crasher.cpu);
  EXPECT_TRUE(crasher.panicked);
  EXPECT_EQ("runnable", threads[1].state);
  EXPECT_EQ(11, threads[2].pid);
  EXPECT_EQ(1, threads[2].cpu);
  EXPECT_FALSE(threads[2].panicked);
  EXPECT_EQ("sleeping", threads[3].state);
  EXPECT_EQ("select", threads[3].wait_channel);
  EXPECT_EQ(-1, threads[3].cpu);
  EXPECT_EQ((std::vector<CoreCpu>{{0, 100041}, {1, 100042}}), core.cpus());
  ASSERT_EQ(2u, core.modules().size());
  EXPECT_EQ("none.ko", core.modules()[1].name);
  EXPECT_EQ("/m/none.ko", core.modules()[1].path);
  EXPECT_EQ(0xffffffff81400000, core.modules()[1].address);

  // Through the trap, whose function had made no frame; to the system call, not into the program.
  EXPECT_THAT(functions(core.stack(100041).frames),
              ElementsAre("doadump", "panic", "trap_fatal", "calltrap", "\\store", "greet", "sys_crash",
                          "amd64_syscall", "fast_syscall_common"));
  // A processor that was stopped by an interrupt; to the thread's beginning.
  EXPECT_THAT(functions(core.stack(100042).frames),
              ElementsAre("cpustop_handler", "nmi_calltrap", "cpu_idle", "fork_trampoline"));
  // Frames that lead round end.
  EXPECT_THAT(functions(core.stack(100043).frames), ElementsAre("sched_switch", "panic", "trap_fatal"));
  // One that never ran.
  EXPECT_THAT(functions(core.stack(100044).frames), ElementsAre("fork_trampoline"));
  EXPECT_THROW(core.stack(5), ConfigError);

  const CrashReport report = core.report();
  EXPECT_EQ("Fatal trap NUM: page fault in greet", report.title);
  EXPECT_EQ("greet", report.function);
  EXPECT_EQ("rescue", report.process);
  EXPECT_EQ(18, report.pid);
  EXPECT_EQ("0x10", report.registers.at("CR2"));
  ASSERT_TRUE(report.fault);
  EXPECT_EQ(0x10u, report.fault->address);
  EXPECT_THAT(report.fault->instruction, HasSubstr("[0x10]"));
  EXPECT_FALSE(report.corrupted);
  EXPECT_TRUE(report.symbolized);
  ASSERT_NE(nullptr, report.guilty());
  EXPECT_EQ("tests/unit/crash/core/fixture/kernel.c", report.guilty()->file);
  EXPECT_THAT(report.guilty()->source, HasSubstr("store((volatile int*)16);"));
  EXPECT_EQ(report, CrashReport::from_json(report.to_json()));
}

TEST_F(CoreTest, ReadsMinidumpsOfAllVersions) {
  for (const int version : {1, 2, 3}) {
    SCOPED_TRACE(version);
    const Core core = opened(minidump(version));
    EXPECT_EQ(fmt::format("minidump {}", version), core.format());
    check_all(core);
    EXPECT_THAT(core.notes(), IsEmpty());
    // The direct map, and physical memory, are the same bytes.
    const auto at = kernel->physical("version");
    EXPECT_EQ("FreeBSD 13.2", core.read(0xfffff80000000000 + at, 12));
    EXPECT_EQ("FreeBSD 13.2", core.read_physical(at, 12));
    EXPECT_THROW(core.read(0xffffffff90000000, 1), FormatError);
    EXPECT_THROW(core.read(0x1000, 1), FormatError);
    EXPECT_THROW(core.read_physical(0x20000000, 1), FormatError);
    EXPECT_THROW(core.read(0xffffffffffffffff, 2), FormatError);
  }
}

TEST_F(CoreTest, ReadsFullDumps) {
  const Core core = opened(full());
  EXPECT_EQ("elf", core.format());
  check_all(core);
  EXPECT_THAT(core.notes(), IsEmpty());
  EXPECT_THROW(core.read(0xffffffff90000000, 1), FormatError);
  EXPECT_THROW(core.read(0x0000800000000000, 1), FormatError);
}

TEST_F(CoreTest, ReadsCompressedDumps) {
  FakeMemory memory = kernel->memory;
  memory.put(0x9000000, pattern(4 << 20));  // too much for one piece
  const auto plain = kernel->folder().write("plain", memory.minidump(3, *raw_messages));
  for (const std::string program : {"gzip", "zstd"}) {
    if (!local_host()->which(program)) continue;
    SCOPED_TRACE(program);
    const auto packed = local_host()->run({.argv = {program, "-c", plain.string()}}).out;
    check_all(opened(packed));
    // Cut off: what was there can still be read.
    const Core cut = opened(packed.substr(0, packed.size() * 3 / 4));
    EXPECT_FALSE(cut.complete());
    EXPECT_THAT(cut.notes(), Contains(HasSubstr(program + " data is damaged or cut off")));
    EXPECT_THAT(cut.dmesg(), HasSubstr("Fatal trap"));
    EXPECT_THROW(opened(packed.substr(0, 4)), FormatError);
  }
}

TEST_F(CoreTest, MemoryAndMessagesNeedNoKernel) {
  const Core core(kernel->folder().write("vmcore", minidump(3)));
  // Where the buffer begins, only the kernel knows.
  EXPECT_THAT(core.dmesg(), HasSubstr("Fatal trap 12"));
  EXPECT_EQ("FreeBSD 13.2", core.read(kernel->symbols.at("version"), 12));
  EXPECT_THAT(core.threads(), IsEmpty());
  EXPECT_EQ("", core.panic());
  EXPECT_EQ("panic: page fault", core.report().title);
}

TEST_F(CoreTest, OnlyWhatProgramsLoggedHasALevel) {
  const auto all = opened(minidump(3)).messages();
  ASSERT_EQ(12u, all.size());
  EXPECT_EQ((CoreMessage{.text = "start of a line that was overwritten"}), all[0]);
  EXPECT_EQ((CoreMessage{.level = 6, .text = "a program's"}), all[1]);
  EXPECT_EQ((CoreMessage{.text = "time = 1700000000"}), all.back());
}

TEST_F(CoreTest, AnotherKernelIsNoted) {
  const FakeKernel other({"greet=meet", "TID_OTHER2=1"}, "", 0);
  SymbolSources sources = other.sources();
  FakeMemory memory = kernel->memory;
  memory.put(kernel->physical("version"), "FreeBSD 14.0-RELEASE OLD\n");
  const Core core(kernel->folder().write("vmcore", memory.minidump(3, *raw_messages)), sources);
  EXPECT_THAT(core.notes(), Contains(HasSubstr("is not the file of the kernel that crashed")));
}

TEST_F(CoreTest, CutOffDumpsSaySoAndGiveWhatTheyHave) {
  const auto whole = minidump(3);
  for (const double part : {0.999, 0.9, 0.6, 0.3, 0.1}) {
    const Core core =
        opened(whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
    EXPECT_FALSE(core.complete()) << part;
    EXPECT_THAT(core.notes(), Contains(HasSubstr("cut off"))) << part;
    core.threads();
    core.modules();
    EXPECT_FALSE(core.report().title.empty()) << part;
  }
  const auto elf = full();
  for (const double part : {0.999, 0.5, 0.1}) {
    const Core core = opened(elf.substr(0, static_cast<std::size_t>(part * static_cast<double>(elf.size()))));
    EXPECT_FALSE(core.complete()) << part;
    core.threads();
    core.report();
  }
}

TEST_F(CoreTest, WhatIsNoDumpIsSaidToBeWhatItIs) {
  const auto said = [](const std::string& bytes) -> std::string {
    try {
      opened(bytes);
    } catch (const FormatError& error) {
      return error.reason() + " " + error.hint();
    }
    return "opened";
  };
  EXPECT_THAT(said(""), HasSubstr("empty"));
  EXPECT_THAT(said("random bytes"), HasSubstr("72 61 6e 64"));
  EXPECT_THAT(said("minidump FreeBSD/" + std::string(5000, '\0')), HasSubstr("that kdev does not know: "));
  auto elf = full();
  elf[EI_OSABI] = 0;  // as programs' and Linux's have it; it has no note that tells them apart
  EXPECT_THAT(said(elf), HasSubstr("an ELF core file of another kernel (machine 62, OS ABI 0)"));
  elf[18] = 40;
  EXPECT_THAT(said(elf), HasSubstr("machine 40"));
  auto bad = minidump(3);
  bad[24] = 9;
  EXPECT_THAT(said(bad), HasSubstr("version 9"));
  bad = minidump(3);
  put_le(bad, 40, 0, 8);
  EXPECT_THAT(said(bad), HasSubstr("make no sense"));
  EXPECT_THAT(said(minidump(3).substr(0, 60)), HasSubstr("cut off within its header"));
  std::string disk(1 << 20, '\0');
  put_dump(disk, disk.size(), {.length = 4096}, pattern(4096));
  EXPECT_THAT(said(disk), HasSubstr("an image with a dump on it lift it off first"));
}

TEST_F(CoreTest, AbsurdSizesAreNoTrouble) {
  for (const std::size_t field : {28, 32, 36, 64}) {
    for (const std::uint64_t value : {0ull, 1ull, 4095ull, 0x7fffffffull, 0xffffffffull}) {
      auto bytes = minidump(3);
      put_le(bytes, field, value, 4);
      const Core core = opened(bytes);
      core.dmesg();
      core.threads();
      core.report();
    }
  }
  for (const char* name : {"buffer", "messages", "linker_files", "allproc", "cpuid_to_pcpu", "module_file",
                           "sections", "dumppcb", "proc1", "thread2", "panicstr", "msgbufp"}) {
    for (const std::uint64_t value : {~0ull, 0x8000000000000000ull, 1ull, 0xffffffff81000001ull}) {
      FakeMemory memory = kernel->memory;
      for (int i = 0; i < 12; ++i)
        memory.put_number(kernel->physical(name) + 8 * static_cast<std::uint64_t>(i), value);
      const Core core = opened(memory.minidump(2, *raw_messages));
      core.dmesg();
      core.modules();
      core.cpus();
      for (const auto& t : core.threads()) core.registers(t.tid);
      core.report();
    }
  }
}

TEST_F(CoreTest, ACorruptStackEnds) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 60; ++round) {
    FakeMemory memory = kernel->memory;
    const auto base = kernel->symbols.at("panic_stack");
    for (std::uint64_t i = 0; i < 64; ++i) {
      // Anything, but mostly what looks like frames.
      const std::uint64_t choices[] = {base + random() % 512, kernel->symbols.at("panic") + random() % 32,
                                       kernel->symbols.at("calltrap") + 16, random(), 0x20};
      memory.put_number(kernel->physical("panic_stack") + 8 * i, choices[random() % 5]);
    }
    const Core core = opened(memory.minidump(2, *raw_messages));
    EXPECT_LE(core.stack(100041).frames.size(), 3000u);
  }
}

TEST_F(CoreTest, WithoutMessagesTheStackStillTells) {
  FakeMemory memory = kernel->memory;
  memory.put(kernel->physical("messages"), std::string(4096, '\0'));
  const Core core = opened(memory.minidump(3, std::string(4096, '\0')));
  EXPECT_EQ("", core.dmesg());
  const CrashReport report = core.report();
  EXPECT_EQ("panic: page fault", report.title);
  EXPECT_EQ("greet", report.function);
  EXPECT_EQ("rescue", report.process);
  EXPECT_EQ(18, report.pid);
  EXPECT_EQ(0, report.cpu);
  ASSERT_NE(nullptr, report.guilty());
  EXPECT_EQ("store((volatile int*)16);", report.guilty()->source);
}

TEST_F(CoreTest, AModuleWithoutAFileIsNamedAndPassed) {
  FakeMemory memory = kernel->memory;
  memory.put_number(kernel->physical("panic_stack") + 41 * 8, 0xffffffff81400010);
  const CrashReport report = opened(memory.minidump(3, *raw_messages)).report();
  EXPECT_THAT(functions(report.frames()), ElementsAre("doadump", "panic", "trap_fatal", "calltrap", "\\store",
                                                      "greet", "sys_crash", "", "fast_syscall_common"));
  EXPECT_EQ("none", report.frames()[7].module);
  EXPECT_EQ(0xffffffff81400010, report.frames()[7].address);
  EXPECT_THAT(report.notes, ElementsAre("no file with symbols for module none"));
}

TEST_F(CoreTest, TheLastCrashCountsNotThoseOfBootsBefore) {
  const std::string log =
      "panic: long ago\ncpuid = 1\ntime = 1\nKDB: stack backtrace:\nvpanic() at vpanic+0x1/frame 0x1\n"
      "old() at old+0x5/frame 0x2\n---<<BOOT>>---\npanic: page fault\ncpuid = 0\ntime = 2\n";
  FakeMemory memory = kernel->memory;
  std::string raw(4096, '\0');
  // The buffer's end comes first.
  raw.replace(raw.size() - log.size(), log.size(), log);
  memory.put(kernel->physical("messages"), raw);
  memory.put_number(kernel->physical("buffer"), 4096);
  const CrashReport report = opened(memory.minidump(3, raw)).report();
  EXPECT_EQ("panic: page fault", report.title);
  EXPECT_EQ("greet", report.function);
}

TEST_F(CoreTest, ListsWithoutAnEndAreCut) {
  FakeKernel cyclic({"CYCLE"});
  const Core core(cyclic.folder().write("vmcore", cyclic.memory.minidump(2, "")), cyclic.sources());
  EXPECT_LE(core.modules().size(), 4096u);
  EXPECT_LE(core.threads().size(), 200000u);
  EXPECT_THAT(core.notes(), Contains(HasSubstr("the list of modules has no end")));
  EXPECT_THAT(core.notes(), Contains(HasSubstr("the list of processes or threads has no end")));
}

TEST_F(CoreTest, LocksAreFoundByTurnstilesAndSleepQueues) {
  FakeKernel locked({"LOCKED"});
  const Core core(locked.folder().write("vmcore", locked.memory.minidump(2, "")), locked.sources());
  CoreLock mutex{.address = locked.symbols.at("the_mutex"),
                 .kind = "sleep mutex",
                 .name = "the_mutex",
                 .holders = {100043},
                 .waiters = {100044},
                 .deadlock = true};
  CoreLock sx{.address = locked.symbols.at("the_sx"),
              .kind = "sx",
              .name = "the_sx",
              .holders = {100044},
              .waiters = {100043},
              .deadlock = true};
  EXPECT_THAT(core.locks(), testing::UnorderedElementsAre(mutex, sx));
  // Of readers only the number is known.
  FakeMemory memory = locked.memory;
  memory.put_number(locked.physical("the_sx") + 24, 0x11);
  const Core read(locked.folder().write("vmcore", memory.minidump(2, "")), locked.sources());
  sx.holders.clear();
  sx.shared = true;
  sx.deadlock = mutex.deadlock = false;
  EXPECT_THAT(read.locks(), testing::UnorderedElementsAre(mutex, sx));
  // Queues that lead round, or nowhere.
  for (const char* name : {"queue1", "queue2", "turnstile1", "lock_classes", "sleepq_chains", "the_mutex"})
    for (const std::uint64_t value : {~std::uint64_t{0}, locked.symbols.at("queue1"), std::uint64_t{1}}) {
      memory = locked.memory;
      for (std::uint64_t k = 0; k < 6; ++k) memory.put_number(locked.physical(name) + 8 * k, value);
      const Core bad(locked.folder().write("vmcore", memory.minidump(2, "")), locked.sources());
      EXPECT_LE(bad.locks().size(), 2u);
    }
}

}  // namespace
}  // namespace kdev
