#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <kdev/error.hpp>

#include "unit/crash/symbolizer_fixture.hpp"

namespace kdev {
namespace {

using test::lines;
using test::SymbolizerTest;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SymbolizerTest, ExpandsInlineFunctionsInnermostFirst) {
  const Symbolizer symbolizer(fixture->sources());
  const auto offset = offset_of(fixture->vmlinux(), "do_work", "innermost", 6);
  const auto frames = symbolizer.at_symbol("do_work", offset, 0, "", false);
  EXPECT_THAT(lines(frames), ElementsAre("\\innermost drivers/kernel.c:6", "\\middle drivers/kernel.c:10",
                                         "do_work drivers/kernel.c:15"));
  EXPECT_EQ("return *p + 1; /* line 6 */", frames[0].source);
  EXPECT_EQ("sink += middle(p); /* line 15 */", frames[2].source);
  EXPECT_EQ(offset, frames[2].offset);
}

TEST_F(SymbolizerTest, OfSeveralNamesTheSourcesIsTaken) {
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  const auto all = info.named("open_other_device");
  ASSERT_EQ(1u, all.size());
  const auto own = info.named("open_device");
  ASSERT_EQ(1u, own.size());
  ASSERT_EQ(own[0]->address, all[0]->address);
  const auto frames = Symbolizer(fixture->sources()).at_address(all[0]->address, 0, false);
  ASSERT_EQ(1u, frames.size());
  EXPECT_EQ("open_device", frames[0].function);
}

TEST_F(SymbolizerTest, AReturnAddressIsTheCallBeforeIt) {
  const Symbolizer symbolizer(fixture->sources());
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  const auto* open = info.named("open_device").at(0);
  // The address after the call: the first instruction after line 25's last one.
  std::uint64_t after = 0;
  for (std::uint64_t o = 0; o < open->size; ++o) {
    const auto here = info.expand(open->address + o);
    if (!here.empty() && here[0].line == 25)
      after = o + 1;
    else if (after)
      break;
  }
  ASSERT_GT(after, 0u);
  EXPECT_THAT(lines(symbolizer.at_symbol("open_device", after, 0, "", true)),
              ElementsAre("open_device drivers/kernel.c:25"));
  EXPECT_THAT(lines(symbolizer.at_symbol("open_device", after, 0, "", false)),
              testing::Not(ElementsAre("open_device drivers/kernel.c:25")));
}

TEST_F(SymbolizerTest, AReturnAddressPastTheEndIsStillThatFunction) {
  const Symbolizer symbolizer(fixture->sources());
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  const auto* probe = info.named("do_work").at(0);
  const auto frames = symbolizer.at_symbol("do_work", probe->size, probe->size, "", true);
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ("do_work", frames.back().function);
  EXPECT_EQ("drivers/kernel.c", frames.back().file);
}

TEST_F(SymbolizerTest, SizeTellsFunctionsOfOneNameApart) {
  const Symbolizer symbolizer(fixture->sources());
  ASSERT_NE(size_of("probe", 0), size_of("probe", 1));
  std::vector<std::string> files;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto frames = symbolizer.at_symbol("probe", 1, size_of("probe", i), "", false);
    ASSERT_FALSE(frames.empty());
    files.push_back(frames.back().file);
  }
  EXPECT_THAT(files, testing::UnorderedElementsAre("drivers/kernel.c", "drivers/other.c"));
}

TEST_F(SymbolizerTest, ModulesAreRelocated) {
  const Symbolizer symbolizer(fixture->sources());
  const auto offset = offset_of(fixture->module(), "foo_crash", "store", 6);
  // lsmod has '_' where the file has '-'.
  EXPECT_THAT(lines(symbolizer.at_symbol("foo_crash", offset, 0, "foo_crash", false)),
              ElementsAre("\\store drivers/module.c:6", "foo_crash drivers/module.c:11"));
  // A second code section: only the relocated debug information tells it from the first.
  const auto init = offset_of(fixture->module(), "init_module", "init_module", 16);
  EXPECT_THAT(lines(symbolizer.at_symbol("init_module", init, 0, "foo_crash", false)),
              ElementsAre("init_module drivers/module.c:16"));
  EXPECT_THAT(symbolizer.at_symbol("foo_crash", 1, 0, "bar", false), IsEmpty());
}

TEST_F(SymbolizerTest, AddressesWithAKaslrOffset) {
  const Symbolizer symbolizer(fixture->sources());
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  const auto offset = offset_of(fixture->vmlinux(), "do_work", "innermost", 6);
  const std::uint64_t address = info.named("do_work").at(0)->address + offset;
  const auto plain = symbolizer.at_address(address, 0, false);
  const auto moved = symbolizer.at_address(address + 0x1e000000, 0x1e000000, false);
  EXPECT_EQ(lines(plain), lines(moved));
  ASSERT_EQ(3u, moved.size());
  EXPECT_EQ(address + 0x1e000000, moved[2].address);
  EXPECT_EQ(offset, moved[2].offset);
  EXPECT_THAT(symbolizer.at_address(0x1000, 0, false), IsEmpty());
}

TEST_F(SymbolizerTest, SourceIsFoundWhereTheTreeIsNow) {
  const Path moved = fixture->dir() / "moved";
  boost::filesystem::create_directories(moved);
  boost::filesystem::rename(fixture->tree() / "drivers", moved / "drivers");
  auto sources = fixture->sources();
  sources.source = moved;
  const Symbolizer symbolizer(sources);
  const auto offset = offset_of(fixture->vmlinux(), "do_work", "innermost", 6);
  const auto frames = symbolizer.at_symbol("do_work", offset, 0, "", false);
  boost::filesystem::rename(moved / "drivers", fixture->tree() / "drivers");
  ASSERT_EQ(3u, frames.size());
  EXPECT_EQ("drivers/kernel.c", frames[0].file);
  EXPECT_EQ("return *p + 1; /* line 6 */", frames[0].source);
}

TEST_F(SymbolizerTest, BuildIds) {
  EXPECT_EQ("00112233445566778899aabbccddeeff99887766", read_build_id(fixture->vmlinux()));
  EXPECT_EQ("00112233445566778899aabbccddeeff99887766", Symbolizer(fixture->sources()).build_id());
  EXPECT_EQ("", read_build_id(fixture->module()));
  EXPECT_THROW(read_build_id(fixture->tree() / "drivers/kernel.c"), FormatError);
  EXPECT_THROW(read_build_id(fixture->dir() / "nothing"), HostError);
}

TEST_F(SymbolizerTest, RefusesWhatHasNoSymbols) {
  auto sources = fixture->sources();
  sources.vmlinux = fixture->stripped();
  EXPECT_THROW(Symbolizer{sources}, FormatError);
  sources.vmlinux = fixture->tree() / "drivers/kernel.c";
  EXPECT_THROW(Symbolizer{sources}, FormatError);
  sources.vmlinux = fixture->dir() / "nothing";
  EXPECT_THROW(Symbolizer{sources}, HostError);
}

// The first instruction of a function is nobody's return address: minus one, it would be the function before.
TEST_F(SymbolizerTest, TheFirstInstructionIsNoReturnAddress) {
  const Symbolizer symbolizer(fixture->sources());
  for (const bool return_address : {false, true}) {
    const auto frames = symbolizer.at_symbol("open_device", 0, 0, "", return_address);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ("open_device", frames.back().function);
    EXPECT_EQ(25, frames.back().line);
  }
}

TEST_F(SymbolizerTest, ModulesOfAnArtifactAreFound) {
  KernelArtifact kernel;
  kernel.vmlinux = fixture->vmlinux();
  kernel.modules = fixture->dir() / "installed";
  boost::filesystem::create_directories(kernel.modules / "lib/modules/6.1/kernel");
  boost::filesystem::copy_file(fixture->module(), kernel.modules / "lib/modules/6.1/kernel/foo-crash.ko");
  const Symbolizer symbolizer({.kernel = kernel});
  EXPECT_FALSE(symbolizer.at_symbol("foo_crash", 1, 0, "foo_crash", false).empty());
}

// One that is made while a guest runs: found, and found again when it is another.
TEST_F(SymbolizerTest, AModuleIsOpenedAnewWhenItWasBuiltAnew) {
  SymbolSources sources;
  KernelArtifact kernel;
  kernel.vmlinux = fixture->vmlinux();
  kernel.modules = fixture->dir() / "tree";
  sources.kernel = kernel;
  boost::filesystem::create_directories(kernel.modules);
  const Symbolizer symbolizer(sources);
  EXPECT_THAT(symbolizer.at_symbol("foo_crash", 1, 0, "late", false), IsEmpty());
  const Path late = kernel.modules / "late.ko";
  boost::filesystem::copy_file(fixture->module(), late);
  // Not looked for at every frame: at every report.
  const std::string text = symbolizer.decode(" foo_crash+0x1/0x0 [late]");
  EXPECT_THAT(text, testing::HasSubstr("drivers/module.c:10"));
  std::ofstream((fixture->dir() / "late.c").string()) << "void foo_crash(int *p) {\n\n\n\n  *p = 1;\n}\n";
  fixture->run({"cc", "-g", "-O1", "-c", "-ffreestanding", "-o", late.string() + ".new",
                (fixture->dir() / "late.c").string()});
  boost::filesystem::rename(late.string() + ".new", late);
  boost::filesystem::last_write_time(late, std::time(nullptr) + 10);
  EXPECT_THAT(lines(symbolizer.at_symbol("foo_crash", 1, 0, "late", false)),
              ElementsAre(testing::HasSubstr("late.c:")));
}

}  // namespace
}  // namespace kdev
