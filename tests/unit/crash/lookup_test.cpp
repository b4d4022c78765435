// lookup_symbol: the nearest symbols of an address.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <kdev/error.hpp>

#include "crash/debug_info.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names(const std::vector<SymbolMatch>& matches) {
  std::vector<std::string> out;
  for (const auto& m : matches) out.push_back(fmt::format("{}+{:#x} {}", m.name, m.offset, m.type));
  return out;
}

class LookupTest : public testing::Test {
 protected:
  LookupTest()
      : path_(boost::filesystem::temp_directory_path() /
              boost::filesystem::unique_path("kdev-map-%%%%%%%%")) {
    std::ofstream(path_.string()) << "ffffffff81000000 T _stext\n"
                                     "ffffffff81000000 T startup_64\n"
                                     "ffffffff810014a0 t vnode_pager_getpages\n"
                                     "ffffffff810014f0 T vm_fault\n"
                                     "ffffffff81001800 T vm_fault_hold\n"
                                     "ffffffff81a00000 D jiffies\n"
                                     "ffffffff81a00008 b counter\n"
                                     "ffffffff81b00000 B _end\n";
  }
  ~LookupTest() override { boost::filesystem::remove(path_); }
  std::vector<std::string> find(std::string_view address) { return names(lookup_symbol(path_, address)); }
  Path path_;
};

TEST_F(LookupTest, NearestBelow) {
  EXPECT_THAT(find("ffffffff810014e5"), ElementsAre("vnode_pager_getpages+0x45 t"));
  EXPECT_THAT(find("0xFFFFFFFF810014A0"), ElementsAre("vnode_pager_getpages+0x0 t"));
  EXPECT_THAT(find("[<ffffffff810014f7>]"), ElementsAre("vm_fault+0x7 T"));
}

TEST_F(LookupTest, MissingDigitsAreRanges) {
  EXPECT_THAT(find("ffffffff810014"), ElementsAre("_stext+0x1400 T", "startup_64+0x1400 T",
                                                  "vnode_pager_getpages+0x0 t", "vm_fault+0x0 T"));
  EXPECT_EQ(find("ffffffff810014"), find("ffffffff810014xx"));
  EXPECT_THAT(find("ffffffff8100150x"), ElementsAre("vm_fault+0x10 T"));
  EXPECT_THAT(find("ffffffff81a0000x"), ElementsAre("jiffies+0x0 D", "counter+0x0 b"));
}

TEST_F(LookupTest, UnknownDigitsInTheMiddle) {
  // ...1x04f0: 10 04f0 lies in _stext, 18 04f0 in none but the gap before the data belongs to vm_fault_hold.
  EXPECT_THAT(find("ffffffff81a0x008"), ElementsAre("counter+0x0 b"));
  EXPECT_THAT(find("ffffffff810014x5"), ElementsAre("_stext+0x1405 T", "startup_64+0x1405 T",
                                                    "vnode_pager_getpages+0x5 t", "vm_fault+0x5 T"));
}

TEST_F(LookupTest, AliasesAndTheEnd) {
  EXPECT_THAT(find("ffffffff81000004"), ElementsAre("_stext+0x4 T", "startup_64+0x4 T"));
  EXPECT_THAT(find("ffffffff81b00000"), ElementsAre("_end+0x0 B"));
  EXPECT_THAT(find("ffffffff81b00001"), IsEmpty());
  EXPECT_THAT(find("0000000000001000"), IsEmpty());
  EXPECT_THAT(find("810014f7"), ElementsAre("vm_fault+0x7 T"));  // the leading f's left out
}

TEST_F(LookupTest, AbsoluteSymbolsAreNumbers) {
  // FreeBSD's kernels have two, far below all code.
  std::ofstream(path_.string()) << "0000000000200000 A kernload\nffffffff80000000 A kernbase\n"
                                   "ffffffff80442750 T vpanic\nffffffff80442940 T panic\n";
  EXPECT_THAT(find("80442755"), ElementsAre("vpanic+0x5 T"));
  EXPECT_THAT(find("ffffffff80442"), ElementsAre("vpanic+0x0 T", "panic+0x0 T"));
  EXPECT_THAT(find("ffffffff80000000"), ElementsAre("kernbase+0x0 A"));
  EXPECT_THAT(find("ffffffff80000001"), IsEmpty());
}

TEST_F(LookupTest, RefusesNonsense) {
  EXPECT_THROW(find(""), FormatError);
  EXPECT_THROW(find("vm_fault"), FormatError);
  EXPECT_THROW(find("ffffffff810014e5f"), FormatError);
  EXPECT_THROW(lookup_symbol("/nothing/here", "1"), HostError);
  std::ofstream(path_.string()) << "this is no map\n";
  EXPECT_THROW(find("ffffffff81000000"), FormatError);
  std::ofstream(path_.string(), std::ios::trunc) << "";
  EXPECT_THROW(find("ffffffff81000000"), FormatError);
}

TEST(LookupInElf, ByItsSymbolTable) {
  const test::Fixture kernel_files;
  const crash::DebugInfo info(kernel_files.vmlinux(), "test");
  const auto* work = info.named("do_work").at(0);
  EXPECT_THAT(names(lookup_symbol(kernel_files.vmlinux(), fmt::format("{:x}", work->address + 3))),
              ElementsAre("do_work+0x3 T"));
  KernelArtifact kernel;
  kernel.vmlinux = kernel_files.vmlinux();
  EXPECT_THAT(names(kernel.lookup(fmt::format("{:x}", work->address))), ElementsAre("do_work+0x0 T"));
  EXPECT_THROW(lookup_symbol(kernel_files.stripped(), "ffffffff81000000"), FormatError);
}

}  // namespace
}  // namespace kdev
