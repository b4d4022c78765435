// How reports and files name each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <fstream>

#include "guest/guest.hpp"
#include "guest/symbol_rules.hpp"

using namespace kdev;
using namespace kdev::guest;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

namespace {

const SymbolRules& linux_rules() {
  return guest_for(Os::linux).symbols();
}

CrashReport with_register(const char* name, const char* value) {
  CrashReport report;
  report.registers[name] = value;
  return report;
}

StackFrame frame(const char* function, std::uint64_t offset) {
  StackFrame f;
  f.function = function;
  f.offset = offset;
  return f;
}

}  // namespace

TEST(LinuxSymbols, BuildIdsAreThoseOfTheKernelAndOfEachModule) {
  const PrintedBuildIds ids = linux_rules().build_ids(
      "CPU: 0 PID: 1 Comm: init Not tainted 6.1.192 #1 00112233445566778899aabbccddeeff00112233\n"
      " work+0x1/0x2 [foo 0123456789012345678901234567890123456789]\n"
      " more+0x1/0x2 [foo 0123456789012345678901234567890123456789]\n"
      " rest+0x1/0x2 [bar 89012345678901234567]\n"
      " old+0x1/0x2 [baz]\n");
  EXPECT_EQ(ids.kernel, "00112233445566778899aabbccddeeff00112233");
  EXPECT_THAT(ids.modules, ElementsAre(Pair("foo", "0123456789012345678901234567890123456789"),
                                       Pair("bar", "89012345678901234567")));
  EXPECT_EQ(linux_rules().build_ids("CPU: 0 PID: 1 Comm: init Not tainted 6.1.192 #1\n").kernel, "");
  // A hostile log does not fill memory.
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "[m" + std::to_string(i) + " 89012345678901234567]\n";
  EXPECT_LE(linux_rules().build_ids(many).modules.size(), 64u);
}

TEST(LinuxSymbols, ModulesAreNamedAsLsmodDoes) {
  EXPECT_EQ(linux_rules().module_of("/lib/modules/6.1/kernel/foo-crash.ko"), "foo_crash");
  EXPECT_EQ(linux_rules().module_of("/x.y/foo.ko.debug"), "foo");
  EXPECT_EQ(linux_rules().module_name("foo-crash"), "foo_crash");
  EXPECT_TRUE(linux_rules().is_module("/lib/modules/6.1/kernel/foo.ko"));
  EXPECT_FALSE(linux_rules().is_module("/lib/modules/6.1/modules.dep"));
}

TEST(LinuxSymbols, TheProgramCounterIsNoReturnAddress) {
  for (const char* name : {"RIP", "PC"}) {
    const CrashReport report = with_register(name, "0010:do_work+0x14/0x40");
    EXPECT_TRUE(linux_rules().is_pc(report, frame("do_work", 0x14)));
    EXPECT_FALSE(linux_rules().is_pc(report, frame("do_work", 0x1)));
    EXPECT_FALSE(linux_rules().is_pc(report, frame("work", 0x1)));
  }
  EXPECT_FALSE(linux_rules().is_pc(with_register("RAX", "do_work+0x14/0x40"), frame("do_work", 0x14)));
}

TEST(LinuxSymbols, ReleasesAndAddresses) {
  EXPECT_TRUE(linux_rules().same_release("6.1.0", "6.1.0"));
  EXPECT_TRUE(linux_rules().same_release("6.1.0", "6.1.0+"));
  EXPECT_TRUE(linux_rules().same_release("6.1.0+", "6.1.0+"));
  EXPECT_FALSE(linux_rules().same_release("6.1.0+", "6.1.0"));
  EXPECT_FALSE(linux_rules().same_release("6.1.0", "6.1.1"));
  EXPECT_TRUE(linux_rules().moved_by_kaslr(0xffffffff81000000));
  EXPECT_FALSE(linux_rules().moved_by_kaslr(0x401000));
}

// What a guest starts from that has no rules of its own.
TEST(SymbolRules, KnowNoGuest) {
  const SymbolRules rules;
  EXPECT_EQ(rules.kernel_file(), "kernel");
  EXPECT_EQ(rules.known_source(), "");
  EXPECT_EQ(rules.module_of("/boot/kernel/if-x.ko"), "if-x");
  EXPECT_EQ(rules.module_name("if-x"), "if-x");
  EXPECT_FALSE(rules.moved_by_kaslr(0xffffffff81000000));
  EXPECT_FALSE(rules.same_release("6.1.0", "6.1.0+"));
  EXPECT_FALSE(rules.is_pc(with_register("RIP", "0010:f+0x1/0x2"), frame("f", 1)));
  const PrintedBuildIds ids = rules.build_ids("[foo 89012345678901234567]");
  EXPECT_EQ(ids.kernel, "");
  EXPECT_THAT(ids.modules, IsEmpty());
}

TEST(FreebsdSymbols, TheFaultingInstructionIsWhereTheTrapSays) {
  const SymbolRules& rules = guest_for(Os::freebsd).symbols();
  CrashReport report;
  report.text =
      "--- trap 0xc, rip = 0xffffffff8048e24a, rsp = 0xfffffe0044b92bc0, rbp = 0xfffffe0044b92be0 ---\n";
  StackFrame at = frame("work", 0x4a);
  EXPECT_FALSE(rules.is_pc(report, at)) << "no address, so it is a return's";
  at.address = 0xffffffff8048e24a;
  EXPECT_TRUE(rules.is_pc(report, at));
  at.address = 0xffffffff8048e24b;
  EXPECT_FALSE(rules.is_pc(report, at));
  EXPECT_TRUE(rules.is_pc(with_register("RIP", "0x20:0xffffffff8048e24b"), at));
}

TEST(FreebsdSymbols, AStrippedModulesSymbolsAreBesideItOrWhereDebugFilesAreInstalled) {
  namespace fs = boost::filesystem;
  const SymbolRules& rules = guest_for(Os::freebsd).symbols();
  const Path dir = fs::temp_directory_path() / fs::unique_path("kdev-symbols-%%%%%%%%");
  const auto touch = [&](const Path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file.string()) << "x";
    return file;
  };
  const Path alone = touch(dir / "one/hello.ko");
  EXPECT_EQ(alone, rules.symbol_file(alone));
  const Path debug = touch(dir / "one/hello.ko.debug");
  EXPECT_EQ(debug, rules.symbol_file(alone));
  const Path full = touch(dir / "one/hello.ko.full");
  EXPECT_EQ(full, rules.symbol_file(alone));
  const Path installed = touch(dir / "root/boot/kernel/nullfs.ko");
  EXPECT_EQ(installed, rules.symbol_file(installed));
  const Path apart = touch(dir / "root/usr/lib/debug/boot/kernel/nullfs.ko.debug");
  EXPECT_EQ(apart, rules.symbol_file(installed));
  fs::remove_all(dir);
}
