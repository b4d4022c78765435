// Minidumps of FreeBSD/arm64, of a kernel that the test compiles.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <random>

#include "unit/crash/core/fake_arm64.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string messages =
    "Fatal data abort:\n  x0:               10\n  x1: ffff000000abcdee\n  sp: ffff000000020f00\n"
    "  lr: ffff000000010340\n elr: ffff000000abcdef\nspsr:         60000005\n far:               10\n"
    " esr:         96000044\npanic: vm_fault failed: ffff000000abcdef\ncpuid = 0\ntime = 1700000000\n";
constexpr int crasher = 100041, idle = 100042, sleeper = 100043, fresh = 100044;

std::string raw_messages() {
  std::string raw = messages;
  raw.resize(4096);
  return raw;
}

std::vector<std::string> functions(const std::vector<StackFrame>& frames) {
  std::vector<std::string> names;
  for (const auto& f : frames) names.push_back((f.inlined ? "\\" : "") + f.function);
  return names;
}

const auto the_crash = ElementsAre("doadump", "panic", "data_abort", "do_el1h_sync", "handle_el1h_sync",
                                   "\\store", "greet", "sys_crash", "do_el0_sync", "handle_el0_sync");

class Arm64CoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (arm64_compiler(why).empty()) GTEST_SKIP() << why;
    if (!kernel) kernel = new Arm64Kernel({}, messages.size());
  }
  static void TearDownTestSuite() {
    delete kernel;
    kernel = nullptr;
  }
  static Core opened(const std::string& bytes) { return opened(bytes, *kernel); }
  static Core opened(const std::string& bytes, const Arm64Kernel& of) {
    return Core(of.folder().write("vmcore", bytes), of.sources());
  }
  static std::string minidump(int version) { return kernel->memory.minidump(version, raw_messages()); }

  static Arm64Kernel* kernel;
};
Arm64Kernel* Arm64CoreTest::kernel = nullptr;

void check_all(const Core& core) {
  EXPECT_EQ(Os::freebsd, core.os());
  EXPECT_EQ("aarch64", core.arch());
  EXPECT_TRUE(core.complete());
  EXPECT_THAT(core.notes(), IsEmpty());
  EXPECT_EQ("vm_fault failed: ffff000000abcdef", core.panic());
  EXPECT_EQ("FreeBSD 13.2-RELEASE TEST\n", core.version());
  EXPECT_EQ(messages, core.dmesg());
  EXPECT_EQ((std::vector<CoreCpu>{{0, crasher}, {1, idle}}), core.cpus());
  ASSERT_EQ(2u, core.modules().size());
  EXPECT_EQ(0xffff000002800000, core.modules()[1].address);

  const auto threads = core.threads();
  ASSERT_EQ(4u, threads.size());
  EXPECT_EQ(crasher, threads[0].tid);
  EXPECT_TRUE(threads[0].panicked);
  EXPECT_EQ("sleeping", threads[3].state);

  // Through the trap, whose function had made no frame; to the system call, not into the program.
  EXPECT_THAT(functions(core.stack(crasher).frames), the_crash);
  // A processor that was stopped by an interrupt, through a function without tables.
  EXPECT_THAT(functions(core.stack(idle).frames),
              ElementsAre("ipi_stop", "intr_irq_handler", "handle_el1h_irq", "cpu_idle", "fork_trampoline"));
  // Frames that lead round end.
  EXPECT_THAT(functions(core.stack(sleeper).frames), ElementsAre("sched_switch", "panic", "data_abort"));
  // One that never ran.
  EXPECT_THAT(functions(core.stack(fresh).frames), ElementsAre("fork_trampoline"));

  const auto report = core.report();
  EXPECT_EQ("greet", report.function);
  EXPECT_EQ("Fatal data abort in greet", report.title);
  ASSERT_NE(nullptr, report.guilty());
  EXPECT_EQ("store((volatile int*)16);", report.guilty()->source);
  ASSERT_TRUE(report.fault);
  EXPECT_EQ(0x10u, report.fault->address);
  EXPECT_EQ("write", report.fault->access);
  EXPECT_THAT(report.fault->instruction, HasSubstr("str "));
}

TEST_F(Arm64CoreTest, ReadsMinidumpsOfAllVersions) {
  for (const int version : {1, 2, 3}) {
    SCOPED_TRACE(version);
    const Core core = opened(minidump(version));
    EXPECT_EQ(fmt::format("minidump {}", version), core.format());
    check_all(core);
    // The direct map, the kernel's addresses, and physical memory are the same bytes.
    const auto version_at = kernel->symbols.at("version"), physical = kernel->memory.physical(version_at);
    EXPECT_EQ("FreeBSD 13.2", core.read(version_at, 12));
    EXPECT_EQ("FreeBSD 13.2", core.read_physical(physical, 12));
    EXPECT_EQ("FreeBSD 13.2",
              core.read(physical - Arm64Memory::direct_physical + Arm64Memory::direct_base, 12));
    for (const std::uint64_t nowhere :
         {std::uint64_t{0x1000}, Arm64Memory::base + (16u << 20), Arm64Memory::base + Arm64Memory::covered,
          Arm64Memory::direct_base - 1, Arm64Memory::direct_end - 1, ~std::uint64_t{0}})
      EXPECT_THROW(core.read(nowhere, 1), FormatError) << nowhere;
    EXPECT_THROW(core.read_physical(0x60000000, 1), FormatError);
    // A range over pages that lie apart.
    const auto text = content_of(kernel->file());
    EXPECT_EQ(text.substr(0x230, 0x200), core.read(kernel->symbols.at("handle_el1h_sync"), 0x200));
  }
}

TEST_F(Arm64CoreTest, PagesMayBeOf16KiB) {
  const Arm64Kernel large({}, messages.size(), 16384);
  check_all(opened(large.memory.minidump(3, raw_messages()), large));
}

TEST_F(Arm64CoreTest, RegistersAreKnownByTheStructuresOfTheirVersion) {
  const Arm64Kernel newer({"PCB_X19"}, messages.size());
  for (const Arm64Kernel* k : {static_cast<const Arm64Kernel*>(kernel), &newer}) {
    const Core core = opened(k->memory.minidump(3, raw_messages()), *k);
    check_all(core);
    const auto hex = [&](const char* symbol, int offset) {
      return fmt::format("{:#x}", k->symbols.at(symbol) + static_cast<std::uint64_t>(offset));
    };
    const auto registers = core.registers(crasher);
    EXPECT_EQ(hex("doadump", 16), registers.at("PC"));
    EXPECT_EQ(hex("panic_stack", -16), registers.at("sp"));
    EXPECT_EQ(hex("panic_stack", 0), registers.at("x29"));
    EXPECT_EQ("0x1919", registers.at("x19"));
    EXPECT_EQ(0u, registers.count("x0"));
  }
}

TEST_F(Arm64CoreTest, SignedReturnAddressesAreFollowed) {
  const Arm64Kernel with({"SIGNED"}, messages.size());
  check_all(opened(with.memory.minidump(3, raw_messages()), with));
  // Tables that say that they are.
  const Arm64Kernel stated({"SIGNED", "-mbranch-protection=pac-ret"}, messages.size());
  check_all(opened(stated.memory.minidump(3, raw_messages()), stated));
}

TEST_F(Arm64CoreTest, ATrapInCodeWithoutTablesOrInNone) {
  for (const auto& [place, name] :
       {std::pair<std::string, std::string>{"(u64)bcopy", "bcopy"}, {"0x10", ""}}) {
    const Arm64Kernel k({"TRAPPED=" + place}, messages.size());
    EXPECT_THAT(functions(opened(k.memory.minidump(2, raw_messages()), k).stack(crasher).frames),
                ElementsAre("doadump", "panic", "data_abort", "do_el1h_sync", "handle_el1h_sync", name,
                            "sys_crash", "do_el0_sync", "handle_el0_sync"));
  }
}

TEST_F(Arm64CoreTest, ModulesAreSharedObjects) {
  constexpr std::uint64_t at = 0xffff000002800000;
  const Path file = kernel->module("none.ko");
  Arm64Memory memory = kernel->memory;
  memory.load_elf(file, at);
  std::uint64_t after = 0;
  const ElfFile elf(file, "test");
  for (const auto& s : elf.symbols())
    if (s.name == "after_call") after = s.address;
  ASSERT_NE(0u, after);
  memory.put_number(kernel->symbols.at("module_file") + 40, at);
  memory.put_number(kernel->symbols.at("module_file") + 48, 0x40000);
  memory.put_number(kernel->symbols.at("panic_stack") + 61 * 8, at + after);
  auto sources = kernel->sources();
  sources.modules = {file};
  const Core core(kernel->folder().write("vmcore", memory.minidump(3, raw_messages())), sources);
  EXPECT_EQ(file, core.modules()[1].file);
  const auto frames = core.stack(crasher).frames;
  EXPECT_THAT(functions(frames),
              ElementsAre("doadump", "panic", "data_abort", "do_el1h_sync", "handle_el1h_sync", "\\store",
                          "greet", "sys_crash", "module_function", "handle_el0_sync"));
  EXPECT_EQ("none", frames[8].module);
  EXPECT_THAT(frames[8].file, HasSubstr("shared_module.c"));
  EXPECT_EQ("module_function [none]", core.lookup(at + after - 1)->name);
  // Without it, the module is named and passed.
  EXPECT_EQ("", opened(memory.minidump(3, raw_messages())).stack(crasher).frames[8].function);
}

TEST_F(Arm64CoreTest, WhatIsNotReadOrWrittenIsSaid) {
  const auto said = [](const std::string& bytes) -> std::string {
    try {
      opened(bytes);
    } catch (const FormatError& error) {
      return error.reason();
    }
    return "opened";
  };
  auto bad = minidump(3);
  put_le(bad, 24, 4, 4);
  EXPECT_THAT(said(bad), HasSubstr("version 4 is not known"));
  bad = minidump(3);
  put_le(bad, 76, 2, 4);
  EXPECT_THAT(said(bad), HasSubstr("size of pages is not known"));
  put_le(bad, 24, 2, 4);  // that field is of version 3
  EXPECT_EQ("opened", said(bad));
  bad = minidump(3);
  put_le(bad, 64, Arm64Memory::direct_base - 4096, 8);
  EXPECT_THAT(said(bad), HasSubstr("make no sense"));
  EXPECT_THAT(said("minidump FreeBSD/riscv" + std::string(5000, '\0')),
              HasSubstr("a machine that kdev does not know: riscv"));
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_OSABI] = ELFOSABI_STANDALONE;
  header.e_type = ET_CORE;
  header.e_machine = EM_AARCH64;
  EXPECT_THAT(said({reinterpret_cast<const char*>(&header), sizeof(header)}),
              HasSubstr("it is of aarch64 (machine 183, 64 bits)"));
  const Core core = opened(minidump(3));
  EXPECT_THROW(core.write_elf(kernel->folder() / "again"), ConfigError);
  EXPECT_THROW(core.write_kdump(kernel->folder() / "again"), ConfigError);
}

TEST_F(Arm64CoreTest, ACutOffDumpSaysSoAndGivesWhatItHas) {
  for (const int version : {1, 2, 3}) {
    const auto whole = minidump(version);
    for (std::size_t size = 1; size < whole.size(); size *= 2) {
      SCOPED_TRACE(size);
      try {
        const Core core = opened(whole.substr(0, size));
        EXPECT_FALSE(core.complete());
        EXPECT_THAT(core.notes(), Contains(HasSubstr("cut off")));
        core.threads();
        core.report();
      } catch (const FormatError& error) {
        EXPECT_LT(size, 128u) << error.reason();
      }
    }
  }
}

TEST_F(Arm64CoreTest, AbsurdHeadersAreNoTrouble) {
  const auto whole = minidump(3);
  int opens = 0;
  for (std::size_t at = 24; at < 80; ++at)
    for (const int value : {0x00, 0x80, 0xff}) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(value);
      try {
        const Core core = opened(bytes);
        ++opens;
        core.dmesg();
        core.threads();
        core.report();
      } catch (const FormatError&) {
      }
    }
  EXPECT_GT(opens, 50);
}

TEST_F(Arm64CoreTest, ACorruptStackEnds) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 60; ++round) {
    Arm64Memory memory = kernel->memory;
    const auto base = kernel->symbols.at("panic_stack");
    for (std::uint64_t i = 0; i < 128; ++i) {
      // Anything, but mostly what looks like frames, some of traps.
      const std::uint64_t choices[] = {base + random() % 1024,
                                       kernel->symbols.at("panic") + random() % 32,
                                       kernel->symbols.at("handle_el1h_sync") + 16,
                                       random(),
                                       5,
                                       5ull << 32};
      memory.put_number(base + 8 * i, choices[random() % 6]);
    }
    EXPECT_LE(opened(memory.minidump(2, raw_messages())).stack(crasher).frames.size(), 3000u);
  }
}

}  // namespace
}  // namespace kdev
