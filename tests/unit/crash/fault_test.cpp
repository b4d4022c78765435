// Faults explained by the debug information of functions that the test compiles (fixture/faults.c); those of
// real kernels are in tests/python/test_linux_facts.py.
#include "crash/fault.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "crash/instruction.hpp"
#include "guest/console_rules.hpp"
#include "guest/guest.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class FaultTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture = new test::Fixture;
    fixture->run({"cc", "-g", "-O2", "-fno-pie", "-ffreestanding", "-mcmodel=kernel", "-fno-stack-protector",
                  "-fno-optimize-sibling-calls", "-fno-inline", "-fno-ipa-cp", "-fno-ipa-ra", "-nostdlib",
                  "-static", "-no-pie", "-Wl,-e0", "-Wl,-Ttext-segment=0xffffffff81000000", "-o",
                  file().string(), std::string(KDEV_SOURCE_DIR) + "/tests/unit/crash/fixture/faults.c"});
    info = new crash::DebugInfo(file(), "test");
  }
  static void TearDownTestSuite() {
    delete info;
    delete fixture;
  }
  static Path file() { return fixture->dir() / "faults"; }

  /// Explains the function's instruction that accesses memory so far behind a register.
  static FaultInfo explain(const std::string& function, std::int64_t displacement, FaultInfo fault,
                           const std::map<std::string, std::uint64_t>& registers,
                           const std::string& source = {}) {
    const auto* symbol = info->named(function).at(0);
    const auto code = [](std::uint64_t a, std::size_t n) { return info->code(a, n); };
    const crash::Disassembler d(EM_X86_64);
    for (const auto& i : d.all(code(symbol->address, symbol->size), symbol->address)) {
      if (i.memory.size() != 1 || i.memory[0].displacement != displacement || i.memory[0].relative) continue;
      const bool call = fault.access == "execute";
      crash::explain_fault(fault,
                           {.info = info,
                            .pc = i.address + (call ? i.size : 0),
                            .return_address = call,
                            .source = source,
                            .code = code},
                           registers, guest::guest_for(Os::linux).console()->faults());
      return fault;
    }
    ADD_FAILURE() << function << " has no access " << displacement << " behind a register";
    return fault;
  }

  static test::Fixture* fixture;
  static crash::DebugInfo* info;
};
test::Fixture* FaultTest::fixture = nullptr;
crash::DebugInfo* FaultTest::info = nullptr;

FaultMember member(std::string expression, std::string variable, std::string path, std::uint64_t offset) {
  return {std::move(expression), std::move(variable), "struct outer", std::move(path), offset};
}

TEST_F(FaultTest, AParametersMember) {
  const auto fault = explain("read_member", 0x28, {.address = 0x28, .access = "read"}, {{"RDI", 0}});
  EXPECT_TRUE(fault.certain);
  EXPECT_THAT(fault.members, testing::ElementsAre(member("foo->in.value", "foo", "in.value", 0x28)));
  EXPECT_EQ("RDI", fault.base_register);
  EXPECT_EQ(0u, fault.base_value);
  EXPECT_EQ(
      "read of address 0x28: `foo->in.value` (offset 0x28 of struct outer), base register RDI = 0x0, which "
      "is `foo`: a NULL pointer",
      fault.explanation);
  EXPECT_THAT(fault.instruction, HasSubstr("[rdi + 0x28]"));
}

TEST_F(FaultTest, WhatTheRegisterWasLoadedFrom) {
  const auto fault = explain("write_peer", 0x2c, {.address = 0x2c, .access = "write"}, {{"RAX", 0}});
  EXPECT_TRUE(fault.certain);
  EXPECT_THAT(fault.members, testing::ElementsAre(member("foo->peer->in.either.number", "foo->peer",
                                                         "in.either.number", 0x2c)));
  const auto global = explain("read_global", 0x28, {.address = 0x28, .access = "read"}, {{"RAX", 0}});
  EXPECT_THAT(global.members, testing::ElementsAre(member("chosen->in.value", "chosen", "in.value", 0x28)));
  const auto returned = explain("read_returned", 0x28, {.address = 0x28, .access = "read"}, {{"RAX", 0}});
  EXPECT_THAT(returned.members, testing::ElementsAre(member("find()->in.value", "find()", "in.value", 0x28)));
}

TEST_F(FaultTest, AnArraysElement) {
  const auto* symbol = info->named("read_indexed").at(0);
  ASSERT_NE(nullptr, symbol);
  // many[2].value, however the compiler counts.
  std::int64_t displacement = 0;
  const crash::Disassembler d(EM_X86_64);
  std::map<std::string, std::uint64_t> registers{{"RDI", 0}, {"RSI", 2}, {"RAX", 2}};
  for (const auto& i : d.all(info->code(symbol->address, symbol->size), symbol->address))
    if (i.memory.size() == 1 && i.memory[0].read) {
      displacement = i.memory[0].displacement;
      if (i.memory[0].scale == 8) registers["RSI"] = registers["RAX"] = 4;
      if (i.memory[0].scale == 1) registers["RSI"] = registers["RAX"] = 32;
    }
  const std::uint64_t offset = 0x40 + 2 * 16 + 8;
  const auto fault = explain("read_indexed", displacement, {.address = offset, .access = "read"}, registers);
  ASSERT_THAT(fault.members, SizeIs(1)) << fault.instruction;
  EXPECT_EQ("foo->many[2].value", fault.members[0].expression) << fault.instruction;
}

TEST_F(FaultTest, OfTwoWaysNeitherIsCertain) {
  const auto fault = explain("read_either", 0x28, {.address = 0x28, .access = "read"}, {},
                             "return (n & 1 ? foo->peer : bar->peer)->in.value;");
  EXPECT_FALSE(fault.certain);
  ASSERT_FALSE(fault.members.empty());
  EXPECT_THAT(fault.explanation, HasSubstr("perhaps"));
  for (const auto& m : fault.members) EXPECT_EQ("in.value", m.member);
}

TEST_F(FaultTest, ACallOfNothing) {
  const auto fault = explain("call_member", 0x38, {.address = 0, .access = "execute"}, {});
  EXPECT_TRUE(fault.certain);
  EXPECT_THAT(fault.members, testing::ElementsAre(member("foo->call", "foo", "call", 0x38)));
  EXPECT_EQ("jump to address 0x0, by way of `foo->call` (offset 0x38 of struct outer): a NULL pointer",
            fault.explanation);
}

TEST_F(FaultTest, AMarkIsExplained) {
  const auto fault = explain("read_member", 0x28, {.address = 0x6b6b6b6b6b6b6b93, .access = "read"},
                             {{"RDI", 0x6b6b6b6b6b6b6b6b}});
  EXPECT_EQ("memory that was freed (SLUB's POISON_FREE)", fault.poison);
  EXPECT_THAT(fault.explanation,
              testing::EndsWith("which is `foo`: memory that was freed (SLUB's POISON_FREE)"));
  // Counted back, where registers are not printed.
  const auto back = explain("read_member", 0x28, {.address = 0xdead000000000128, .access = "read"}, {});
  EXPECT_EQ(0xdead000000000100, back.base_value);
  EXPECT_THAT(back.poison, HasSubstr("LIST_POISON1"));
}

std::string meaning(Os os, std::uint64_t value) {
  return guest::guest_for(os).console()->faults().meaning(value);
}

TEST(PoisonTest, OfLinux) {
  EXPECT_THAT(meaning(Os::linux, 0x6b6b6b6b6b6b6b6b), HasSubstr("freed"));
  EXPECT_THAT(meaning(Os::linux, 0x6b6b6b6b6b6b6b83), testing::EndsWith("0x18 past it"));
  EXPECT_THAT(meaning(Os::linux, 0x6b6b6b6b6b6b6b5b), testing::EndsWith("0x10 before it"));
  EXPECT_THAT(meaning(Os::linux, 0x5a5a5a5a5a5a5a5a), HasSubstr("POISON_INUSE"));
  EXPECT_THAT(meaning(Os::linux, 0xdead000000000122), HasSubstr("LIST_POISON2"));
  EXPECT_THAT(meaning(Os::linux, 0xdead000000000100), HasSubstr("LIST_POISON1"));
  EXPECT_THAT(meaning(Os::linux, 0x122), HasSubstr("LIST_POISON2"));
  EXPECT_THAT(meaning(Os::linux, 0xfffffffffffffff4), HasSubstr("-ENOMEM"));
  EXPECT_THAT(meaning(Os::linux, 0xfffffffffffffffe), HasSubstr("-ENOENT"));
  EXPECT_THAT(meaning(Os::linux, 0xdeadbeefdeadbeef), HasSubstr("deadbeef"));
  EXPECT_THAT(meaning(Os::linux, 0xbbbbbbbbbbbbbbbb), HasSubstr("red zone"));
  for (const std::uint64_t value :
       {0ull, 0x28ull, ~0ull, 0xffff888001234560ull, 0xffffffff81000000ull, 0x7fff00001234ull, 0x101ull})
    EXPECT_EQ("", meaning(Os::linux, value)) << value;
}

TEST(PoisonTest, OfFreebsd) {
  EXPECT_THAT(meaning(Os::freebsd, 0xdeadc0dedeadc0de), HasSubstr("uma_junk"));
  EXPECT_THAT(meaning(Os::freebsd, 0xdeadc0dedeadc106), HasSubstr("0x28 past it"));
  for (const std::uint64_t value : {0ull, 0x28ull, 0xfffffe0015095730ull, 0xfffff80003b8a000ull})
    EXPECT_EQ("", meaning(Os::freebsd, value)) << value;
}

CrashReport report_of(Os os, const std::string& log) {
  const auto all = scan_console(log, os);
  EXPECT_THAT(all, SizeIs(1));
  return all.empty() ? CrashReport() : all[0];
}

TEST(PrintedFaultTest, OfLinuxWithItsCode) {
  const auto r = report_of(
      Os::linux,
      "BUG: kernel NULL pointer dereference, address: 0000000000000028\n"
      "#PF: supervisor write access in kernel mode\n#PF: error_code(0x0002) - not-present page\n"
      "Oops: 0002 [#1] SMP\nCPU: 1 PID: 35 Comm: sh Not tainted 6.1.0 #1\n"
      "RIP: 0010:do_work+0x4/0x40\nCode: 0f 1f 44 00 00 <48> 89 47 28 c3\n"
      "RSP: 0018:ffffc9000012bdc8 EFLAGS: 00000286\n"
      "RAX: 6b6b6b6b6b6b6b6b RBX: 000000000000000c RCX: 00000000ffffefff\n"
      "RDX: fffffffffffffff4 RSI: ffffc9000012bc60 RDI: 0000000000000000\n"
      "CR2: 0000000000000028 CR3: 00000000008dc000 CR4: 00000000000006a0\n"
      "Call Trace:\n <TASK>\n vfs_write+0xa2/0x2c0\n </TASK>\n---[ end trace 0000000000000000 ]---\n");
  ASSERT_TRUE(r.fault);
  EXPECT_EQ(0x28u, r.fault->address);
  EXPECT_EQ("write", r.fault->access);
  EXPECT_EQ("mov qword ptr [rdi + 0x28], rax", r.fault->instruction);
  EXPECT_EQ("RDI", r.fault->base_register);
  EXPECT_EQ(0u, r.fault->base_value);
  EXPECT_EQ(0x28, r.fault->displacement);
  EXPECT_THAT(r.fault->members, IsEmpty());
  EXPECT_EQ("write to address 0x28, base register RDI = 0x0: a NULL pointer", r.fault->explanation);
  ASSERT_THAT(r.poisons, SizeIs(2));
  EXPECT_EQ("RAX", r.poisons[0].name);
  EXPECT_THAT(r.poisons[1].meaning, HasSubstr("-ENOMEM"));
  EXPECT_THAT(r.to_text(), HasSubstr(r.fault->explanation));
  EXPECT_THAT(r.to_html(), HasSubstr("base register RDI"));
  EXPECT_EQ(r, CrashReport::from_json(r.to_json()));
}

TEST(PrintedFaultTest, OfLinuxInOtherForms) {
  const auto tail = std::string(
      "CPU: 1 PID: 35 Comm: sh Not tainted 6.1.0 #1\nRIP: 0010:do_work+0x4/0x40\nCall Trace:\n "
      "do_work+0x4/0x40\n");
  const auto gpf = report_of(
      Os::linux,
      "general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] SMP\n" +
          tail);
  ASSERT_TRUE(gpf.fault);
  EXPECT_EQ(0xdead000000000108, gpf.fault->address);
  EXPECT_THAT(gpf.fault->poison, HasSubstr("LIST_POISON1"));
  const auto kasan = report_of(
      Os::linux,
      "general protection fault, probably for non-canonical address 0xdffffc0000000005: 0000 [#1] SMP KASAN\n"
      "KASAN: null-ptr-deref in range [0x0000000000000028-0x000000000000002f]\n" +
          tail);
  ASSERT_TRUE(kasan.fault);
  EXPECT_EQ(0x28u, kasan.fault->address);
  const auto old = report_of(
      Os::linux, "BUG: unable to handle kernel NULL pointer dereference at 0000000000000010\n" + tail);
  ASSERT_TRUE(old.fault);
  EXPECT_EQ(0x10u, old.fault->address);
  const auto arm = report_of(Os::linux,
                             "Unable to handle kernel paging request at virtual address dead000000000108\n"
                             "Mem abort info:\n  ISV = 0, ISS = 0x00000044\n  CM = 0, WnR = 1\n"
                             "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP\n"
                             "CPU: 1 PID: 35 Comm: sh Not tainted 6.1.0 #1\npc : do_work+0x4/0x40\n"
                             "x2 : 0000000000000000 x1 : 0000000000000001 x0 : dead000000000100\n"
                             "Call trace:\n do_work+0x4/0x40\nCode: aa0003f3 d503201f (f9000401)\n");
  ASSERT_TRUE(arm.fault);
  EXPECT_EQ("write", arm.fault->access);
  EXPECT_EQ("str x1, [x0, #8]", arm.fault->instruction);
  EXPECT_EQ("x0", arm.fault->base_register);
  EXPECT_EQ(0xdead000000000100, arm.fault->base_value);
  EXPECT_FALSE(
      report_of(Os::linux, "WARNING: CPU: 0 PID: 1 at kernel/panic.c:12 do_work+0x4/0x40\n" + tail).fault);
}

TEST(PrintedFaultTest, OfFreebsd) {
  const auto r =
      report_of(Os::freebsd,
                "Fatal trap 12: page fault while in kernel mode\ncpuid = 1; apic id = 01\n"
                "fault virtual address\t= 0x28\nfault code\t\t= supervisor write data, page not present\n"
                "instruction pointer\t= 0x20:0xffffffff80abc123\nstack pointer\t= 0x28:0xfffffe0015095730\n"
                "current process\t\t= 12 (sh)\ntrap number\t\t= 12\npanic: page fault\n");
  ASSERT_TRUE(r.fault);
  EXPECT_EQ(0x28u, r.fault->address);
  EXPECT_EQ("write", r.fault->access);
  EXPECT_EQ(0xffffffff80abc123, r.fault->pc);
}

TEST(SlabObjectTest, OfKasan) {
  const std::string stack =
      "BUG: KASAN: use-after-free in do_work+0x4/0x40\nRead of size 4 at addr ffff888001234510 by task "
      "sh/38\n\n"
      "CPU: 1 PID: 38 Comm: sh Not tainted 6.1.0 #1\nCall Trace:\n dump_stack_lvl+0x4c/0x5f\n "
      "kasan_report+0xd7/0x190\n do_work+0x4/0x40\n\n"
      "Allocated by task 38:\n kasan_save_stack+0x2f/0x50\n __kasan_kmalloc+0x86/0x90\n make_it+0x26/0x70\n\n"
      "Freed by task 41:\n kasan_save_stack+0x2f/0x50\n kfree+0x86/0x90\n drop_it+0x26/0x70\n\n";
  const auto r = report_of(
      Os::linux, stack +
                     "The buggy address belongs to the object at ffff888001234500\n "
                     "which belongs to the cache kmalloc-96 of size 96\n"
                     "The buggy address is located 16 bytes inside of\n 96-byte region "
                     "[ffff888001234500, ffff888001234560)\n\nMemory state around the buggy address:\n");
  ASSERT_TRUE(r.object);
  const SlabObject want{.address = 0xffff888001234500,
                        .size = 96,
                        .cache = "kmalloc-96",
                        .offset = 16,
                        .access = 0xffff888001234510,
                        .access_size = 4,
                        .state = "freed",
                        .allocated_by = "make_it",
                        .allocated_pid = 38,
                        .freed_by = "drop_it",
                        .freed_pid = 41};
  EXPECT_EQ(want, *r.object) << r.to_json();
  EXPECT_THAT(r.to_text(), HasSubstr("freed 96-byte object of kmalloc-96"));
  EXPECT_EQ(r, CrashReport::from_json(r.to_json()));
  const auto right = report_of(
      Os::linux,
      stack +
          "The buggy address belongs to the object at ffff888001234500\n which belongs "
          "to the cache kmalloc-96 of size 96\n"
          "The buggy address is located 4 bytes to the right of\n allocated 96-byte "
          "region [ffff888001234500, ffff888001234560)\n\nMemory state around the buggy address:\n");
  ASSERT_TRUE(right.object);
  EXPECT_EQ(100, right.object->offset);
  EXPECT_EQ("allocated", right.object->state);
  // Since 6.3 the region is what was asked for, and the object what the cache gives.
  const auto less = report_of(
      Os::linux,
      stack +
          "The buggy address belongs to the object at ffff888001234500\n which belongs "
          "to the cache kmalloc-96 of size 96\n"
          "The buggy address is located 0 bytes to the right of\n allocated 16-byte "
          "region [ffff888001234500, ffff888001234510)\n\nMemory state around the buggy address:\n");
  ASSERT_TRUE(less.object);
  EXPECT_EQ(16, less.object->offset);
  EXPECT_EQ(96u, less.object->size);
}

TEST(SlabObjectTest, OfKfence) {
  const auto kfence = report_of(
      Os::linux,
      "BUG: KFENCE: use-after-free read in do_work+0x4/0x40\n\n"
      "Use-after-free read at 0xffff88803e400010 (in kfence-#23):\n do_work+0x4/0x40\n run+0x4/0x40\n\n"
      "kfence-#23: 0xffff88803e400000-0xffff88803e40005f, size=96, cache=kmalloc-96\n\n"
      "allocated by task 38 on cpu 0 at 1.0s:\n make_it+0x26/0x70\n run+0x4/0x40\n\n"
      "freed by task 41 on cpu 0 at 1.1s:\n drop_it+0x26/0x70\n run+0x4/0x40\n\n"
      "CPU: 1 PID: 38 Comm: sh Not tainted 6.1.0 #1\n");
  ASSERT_TRUE(kfence.object);
  EXPECT_EQ("kmalloc-96", kfence.object->cache);
  EXPECT_EQ(96u, kfence.object->size);
  EXPECT_EQ(0x10, kfence.object->offset);
  EXPECT_EQ("make_it", kfence.object->allocated_by);
  EXPECT_EQ(38, kfence.object->allocated_pid);
  EXPECT_EQ("drop_it", kfence.object->freed_by);
  EXPECT_EQ("freed", kfence.object->state);
}

TEST(SlabObjectTest, OfFreebsd) {
  const auto r =
      report_of(Os::freebsd,
                "Memory modified after free 0xfffff80003b8a000(256) val=deadc0df @ 0xfffff80003b8a028\n"
                "panic: Most recently used by temp\n\ncpuid = 0\ntime = 1\n");
  ASSERT_TRUE(r.object);
  EXPECT_EQ(0xfffff80003b8a000, r.object->address);
  EXPECT_EQ(256u, r.object->size);
  EXPECT_EQ(0x28, r.object->offset);
  EXPECT_EQ("temp", r.object->last_user);
}

}  // namespace
}  // namespace kdev
