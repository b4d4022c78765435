// Arguments and local variables of a kernel that the test compiles (fixture/variables.c).
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/error.hpp>
#include <random>

#include "unit/crash/core/fake_linux.hpp"

namespace kdev {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// "int kept = 42"
std::vector<std::string> lines(const std::vector<Variable>& variables) {
  std::vector<std::string> all;
  for (const auto& v : variables) {
    EXPECT_EQ(v.available, v.value != "<optimized out>") << v.name << " = " << v.value;
    all.push_back(fmt::format("{} {} = {}", v.type, v.name, v.value));
  }
  return all;
}

struct VariablesKernel : LinuxKernel {
  VariablesKernel() : LinuxKernel({}, "0xffffffff81000000", "variables.c") {
    const auto put = [&](int n, std::uint64_t value) {
      memory.put_number(FakeMemory::physical(stack(0, n)), value);
    };
    // struct pt_regs of the trap: what calls preserve, and what arguments are in.
    for (const int preserved : {0, 1, 2, 3, 5}) put(406 + preserved, 43);
    put(406 + 4, stack(0, 380));
    put(406 + 9, 'k');
    put(406 + 8, 0xffffffff00000009);
    put(406 + 11, symbols.at("look"));
    put(406 + 12, symbols.at("greeting"));
    put(406 + 13, 2);
    put(406 + 14, symbols.at("the_place"));
    put(406 + 16, symbols.at("deepest"));
    put(406 + 19, stack(0, 360));
    // deepest() was called by inner(), that by visit(); what inner() preserved lies above its stack pointer.
    put(360, symbols.at("after_deepest"));
    for (int n = 374; n < 380; ++n) put(n, 42);
    put(380, stack(0, 470));
    put(381, symbols.at("after_inner"));
    put(470, stack(0, 480));
    put(471, symbols.at("do_syscall_64") + 16);
    put(480, 0x7fff0000);
    put(481, symbols.at("entry_SYSCALL_64") + 16);
    put(482 + 16, 0x400000);  // of user mode
    put(482 + 17, 0x33);
  }
};

class VariablesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { kernel = new VariablesKernel; }
  static void TearDownTestSuite() { delete kernel; }
  static Core open(const FakeMemory& memory) {
    return kernel->open(kernel->dump(kernel->cpu_notes(), memory));
  }
  static std::map<std::string, StackFrame> frames(const FakeMemory& memory) {
    std::map<std::string, StackFrame> named;
    for (auto& f : open(memory).stack(31, true).frames) named.emplace(f.function, f);
    return named;
  }
  static VariablesKernel* kernel;
};
VariablesKernel* VariablesTest::kernel = nullptr;

TEST_F(VariablesTest, AreReadFromRegistersMemoryAndCalls) {
  auto f = frames(kernel->memory);
  const auto the_place = fmt::format("{:#x} <the_place>", kernel->symbols.at("the_place"));
  EXPECT_THAT(
      lines(f["deepest"].args),
      ElementsAre("struct place * place = " + the_place, "enum mood mood = CROSS",
                  fmt::format("const char * text = {:#x} \"greeting\"", kernel->symbols.at("greeting")),
                  fmt::format("visit_fn visit = {:#x} <look>", kernel->symbols.at("look")),
                  "unsigned char letter = 107 'k'", "gfp_t gfp = 9"));
  EXPECT_THAT(f["deepest"].locals, IsEmpty());
  // One that was inlined, with a constant, one computed of it, and a static one.
  EXPECT_TRUE(f["scaled"].inlined);
  EXPECT_THAT(lines(f["scaled"].args), ElementsAre("int by = 21", "enum flags how = (READ | APPEND)"));
  EXPECT_THAT(lines(f["scaled"].locals),
              ElementsAre("long int calls = 77", "int twice = 42", "int high = 200", "int low = -200"));
  // The caller knows what `lost` was, and what `gone` was nobody.
  EXPECT_THAT(lines(f["inner"].args), ElementsAre("struct place * lost = " + the_place,
                                                  "u64 gone = <optimized out>", "int kept = 43"));
  EXPECT_THAT(lines(f["inner"].locals), ElementsAre("const void * unused = " + the_place));
  EXPECT_THAT(lines(f["visit"].args), ElementsAre("u64 gone = <optimized out>", "int kept = 42"));
  // Frames without any, and those of assembly code.
  EXPECT_THAT(f["do_syscall_64"].args, IsEmpty());
  EXPECT_THAT(f["entry_SYSCALL_64"].locals, IsEmpty());
}

TEST_F(VariablesTest, OfMemoryTheAddressIsSaid) {
  auto memory = kernel->memory;
  auto found = frames(memory)["visit"].locals;
  ASSERT_EQ(2u, found.size());
  EXPECT_EQ("copy", found[0].name);
  ASSERT_NE(0u, found[1].address);
  EXPECT_EQ("volatile long int [3]", found[1].type);
  memory.put_number(FakeMemory::physical(found[1].address), 7);
  memory.put_number(FakeMemory::physical(found[1].address + 8), 8);
  memory.put_number(FakeMemory::physical(found[1].address + 16), static_cast<std::uint64_t>(-9));
  for (std::uint64_t i = 0; i < 64; i += 8) {
    std::uint64_t word = 0;
    const auto at = kernel->physical("the_place") + i;
    std::memcpy(&word, memory.pages.at(at / page_size * page_size).data() + at % page_size, 8);
    memory.put_number(FakeMemory::physical(found[0].address) + i, word);
  }
  found = frames(memory)["visit"].locals;
  ASSERT_EQ(2u, found.size());
  EXPECT_EQ("{7, 8, -9}", found[1].value);
  EXPECT_EQ(
      fmt::format(
          "{{x = -5, small = -3, wide = 300, sure = true, name = {:#x} \"a \\\"place\\\"\", list = {{...}}, "
          "tag = \"tag\", {{...}}}}",
          kernel->symbols.at("name_of_place")),
      found[0].value);
}

TEST_F(VariablesTest, WhatIsNotInTheDumpIsSaid) {
  auto memory = kernel->memory;
  // visit()'s frame is where nothing is.
  memory.put_number(FakeMemory::physical(kernel->stack(0, 380)), 0xffffffff89000000);
  const auto visit = frames(memory)["visit"];
  ASSERT_EQ(2u, visit.locals.size());
  for (const auto& v : visit.locals) {
    EXPECT_EQ("<unavailable>", v.value) << v.name;
    EXPECT_FALSE(v.available);
    EXPECT_NE(0u, v.address);
  }
}

TEST_F(VariablesTest, AReportHasThemAndShowsThem) {
  const Core core = open(kernel->memory);
  const CrashReport report = core.report();
  EXPECT_EQ(report, CrashReport::from_json(report.to_json()));
  EXPECT_EQ(report.frames(), core.stack(31, true).frames);
  EXPECT_THAT(report.to_text(), HasSubstr("        mood = CROSS\n"));
  EXPECT_THAT(report.to_text(), HasSubstr("        optimized out: gone\n"));
  EXPECT_THAT(report.to_html(), HasSubstr("6 arguments"));
  EXPECT_THAT(report.to_html(), HasSubstr("&quot;greeting&quot;"));
  for (const auto& f : core.stack(31).frames) {
    EXPECT_THAT(f.args, IsEmpty());
    EXPECT_THAT(f.locals, IsEmpty());
  }
}

TEST_F(VariablesTest, ACorruptStackEndsAndIsBounded) {
  std::mt19937_64 random(1);
  const auto& s = kernel->symbols;
  for (int round = 0; round < 60; ++round) {
    FakeMemory memory = kernel->memory;
    for (int i = 0; i < 2 * 512; ++i) {
      // Anything, but mostly what looks like frames of functions with variables.
      const std::uint64_t choices[] = {s.at("stacks") + random() % 8192,
                                       s.at("inner") + random() % 128,
                                       s.at("after_deepest"),
                                       s.at("after_inner"),
                                       s.at("asm_sysvec_timer") + 16,
                                       random(),
                                       0x10};
      memory.put_number(FakeMemory::physical(s.at("stacks")) + 8 * static_cast<std::uint64_t>(i),
                        choices[random() % 7]);
    }
    const Core core = open(memory);
    for (const auto& thread : core.threads()) {
      const auto frames = core.stack(thread.tid, true).frames;
      EXPECT_LE(frames.size(), 3000u);
      for (const auto& f : frames)
        for (const auto* list : {&f.args, &f.locals})
          for (const auto& v : *list) EXPECT_LE(v.value.size(), 2000u) << v.name;
    }
  }
}

TEST_F(VariablesTest, DamagedDebugInformationIsNoTrouble) {
  const auto whole = content_of(kernel->file());
  const auto dump = kernel->folder().write("vmcore", kernel->dump(kernel->cpu_notes()));
  std::map<std::string, std::pair<std::size_t, std::size_t>> sections;
  Elf64_Ehdr header;
  std::memcpy(&header, whole.data(), sizeof(header));
  std::vector<Elf64_Shdr> all(header.e_shnum);
  std::memcpy(all.data(), whole.data() + header.e_shoff, all.size() * sizeof(Elf64_Shdr));
  for (const auto& s : all)
    sections[whole.data() + all[header.e_shstrndx].sh_offset + s.sh_name] = {s.sh_offset, s.sh_size};
  std::mt19937_64 random(1);
  std::size_t read = 0;
  for (const char* name : {".debug_info", ".debug_abbrev", ".debug_loclists", ".debug_frame"}) {
    const auto [at, size] = sections[name];
    ASSERT_NE(0u, size) << name;
    for (int round = 0; round < 40; ++round) {
      auto bad = whole;
      for (int i = 0; i < 8; ++i) bad[at + random() % size] = static_cast<char>(random());
      SymbolSources sources;
      sources.vmlinux = kernel->folder().write("bad", bad);
      try {
        const Core core(dump, sources);
        for (const auto& f : core.stack(31, true).frames) read += f.args.size() + f.locals.size();
      } catch (const Error&) {
      }
    }
  }
  EXPECT_GT(read, 0u);
}

}  // namespace
}  // namespace kdev
