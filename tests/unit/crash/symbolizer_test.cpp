#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <kdev/error.hpp>

#include "crash/debug_info.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

using test::Fixture;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// "function file:line", with '\' in front of inlined ones.
std::vector<std::string> lines(const std::vector<StackFrame>& frames) {
  std::vector<std::string> out;
  for (const auto& f : frames) {
    std::string text = f.inlined ? "\\" : "";
    text += f.function + " " + f.file + ":" + std::to_string(f.line);
    out.push_back(text);
  }
  return out;
}

class SymbolizerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture = new Fixture; }
  static void TearDownTestSuite() {
    delete fixture;
    fixture = nullptr;
  }

  /// Offset into `function` of the first instruction whose expansion begins with `function` and `line`.
  static std::uint64_t offset_of(const Path& file, const std::string& function, const std::string& step,
                                 int line) {
    const crash::DebugInfo info(file, "test");
    for (const auto* symbol : info.named(function))
      for (std::uint64_t o = 0; o < symbol->extent; ++o) {
        const auto steps = info.expand(symbol->address + o);
        if (!steps.empty() && steps[0].function == step && steps[0].line == line) return o;
      }
    ADD_FAILURE() << function << " has no instruction of " << step << ":" << line;
    return 0;
  }
  static std::uint64_t size_of(const std::string& function, std::size_t which) {
    const crash::DebugInfo info(fixture->vmlinux(), "test");
    const auto all = info.named(function);
    EXPECT_GT(all.size(), which);
    return all.size() > which ? all[which]->extent : 0;
  }

  static Fixture* fixture;
};
Fixture* SymbolizerTest::fixture = nullptr;

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

CrashReport report_of(const Fixture& fixture, std::uint64_t offset, std::uint64_t size) {
  (void)fixture;
  CrashReport report;
  report.function = "do_work";
  report.registers["RIP"] = fmt::format("0010:do_work+{:#x}/{:#x}", offset, size);
  StackTrace trace;
  trace.name = "Call Trace";
  StackFrame frame;
  frame.function = "do_work";
  frame.offset = offset;
  frame.size = size;
  trace.frames.push_back(frame);
  report.traces.push_back(trace);
  return report;
}

TEST_F(SymbolizerTest, AReportIsFilledIn) {
  const Symbolizer symbolizer(fixture->sources());
  const auto offset = offset_of(fixture->vmlinux(), "do_work", "innermost", 6);
  auto report = report_of(*fixture, offset, size_of("do_work", 0));
  report.release = "6.1.0-fixture";
  symbolizer.symbolize(report);
  EXPECT_TRUE(report.symbolized);
  EXPECT_THAT(report.notes, IsEmpty());
  // The program counter is exact: the access, not what is before it.
  EXPECT_THAT(lines(report.frames()),
              ElementsAre("\\innermost drivers/kernel.c:6", "\\middle drivers/kernel.c:10",
                          "do_work drivers/kernel.c:15"));
  ASSERT_NE(nullptr, report.guilty());
  EXPECT_EQ("sink += middle(p); /* line 15 */", report.guilty()->source);
  // Again: nothing is expanded twice.
  const auto once = report;
  symbolizer.symbolize(report);
  EXPECT_EQ(once, report);
}

TEST_F(SymbolizerTest, AnotherKernelIsNoted) {
  const Symbolizer symbolizer(fixture->sources());
  auto report = report_of(*fixture, 4, 0x4000);
  report.release = "6.1.192";
  report.text =
      "[    1.0] CPU: 0 PID: 1 Comm: init Not tainted 6.1.192 #1 00112233445566778899aabbccddeeff00112233\n";
  StackFrame frame;
  frame.function = "baz";
  frame.module = "nowhere";
  frame.offset = 1;
  frame.size = 2;
  report.traces[0].frames.push_back(frame);
  symbolizer.symbolize(report);
  EXPECT_THAT(report.notes,
              testing::UnorderedElementsAre(HasSubstr("6.1.0-fixture"), HasSubstr("differ in size"),
                                            HasSubstr("00112233445566778899aabbccddeeff00112233"),
                                            HasSubstr("module nowhere")));
  // Its lines would mislead.
  EXPECT_EQ("", report.frames()[0].file);
  EXPECT_FALSE(report.symbolized);
}

TEST_F(SymbolizerTest, OneOddSizeAmongRightOnesIsNothing) {
  const Symbolizer symbolizer(fixture->sources());
  auto report = report_of(*fixture, 4, size_of("do_work", 0));
  StackFrame frame;
  for (const char* name : {"open_device", "close_device", "_start"}) {
    frame.function = name;
    frame.offset = 4;
    frame.size = size_of(name, 0) + (std::string(name) == "close_device" ? 5 : 0);
    report.traces[0].frames.push_back(frame);
  }
  symbolizer.symbolize(report);
  EXPECT_THAT(report.notes, IsEmpty());
  for (const auto& f : report.frames()) EXPECT_GT(f.line, 0) << f.function;
}

TEST_F(SymbolizerTest, ArtifactWithAnotherBuildIdIsNoted) {
  SymbolSources sources;
  KernelArtifact kernel;
  kernel.vmlinux = fixture->vmlinux();
  kernel.source = fixture->tree();
  kernel.build_id = "ffff";
  sources.kernel = kernel;
  auto report = report_of(*fixture, 4, size_of("do_work", 0));
  Symbolizer(sources).symbolize(report);
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("ffff")));
  EXPECT_EQ("drivers/kernel.c", report.frames().back().file);
}

TEST_F(SymbolizerTest, AModuleOfAnotherBuildIsNoted) {
  const Path module = fixture->dir() / "with_id.ko";
  fixture->run({"ld", "-r", "--build-id=0x00112233445566778899aabbccddeeff00000002", "-o", module.string(),
                fixture->module().string()});
  auto sources = fixture->sources();
  sources.modules = {module};
  const Symbolizer symbolizer(sources);
  const auto notes_of = [&](const std::string& printed) {
    auto report = report_of(*fixture, 4, size_of("do_work", 0));
    report.text = "[    1.0]  foo_crash+0x4/0x10 [with_id " + printed + "]\n";
    symbolizer.symbolize(report);
    return report.notes;
  };
  EXPECT_THAT(notes_of("00112233445566778899aabbccddeeff00000002"), IsEmpty());
  EXPECT_THAT(notes_of("00112233445566778899aabbccddeeff00000003"),
              ElementsAre(AllOf(HasSubstr("module with_id"), HasSubstr("00000003"), HasSubstr("00000002"))));
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

TEST_F(SymbolizerTest, BareAddressesInATrace) {
  const Symbolizer symbolizer(fixture->sources());
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  CrashReport report;
  report.kaslr_offset = 0x2000000;
  StackFrame frame;
  frame.address = info.named("open_device").at(0)->address + 0x2000000 + 4;
  frame.function = fmt::format("{:#x}", frame.address);
  report.traces.push_back({.name = "Call Trace", .context = "", .frames = {frame}});
  symbolizer.symbolize(report);
  ASSERT_FALSE(report.frames().empty());
  EXPECT_EQ("open_device", report.frames().back().function);
  EXPECT_EQ("drivers/kernel.c", report.frames().back().file);
}

// Another guest's kernel is not read by Linux's habits.
TEST_F(SymbolizerTest, WhoseKernelItIsDecidesHowItIsRead) {
  auto sources = fixture->sources();
  sources.os = Os::freebsd;
  const Symbolizer symbolizer(sources);
  EXPECT_THAT(symbolizer.at_symbol("foo_crash", 1, 0, "foo_crash", false), IsEmpty());
  EXPECT_FALSE(symbolizer.at_symbol("foo_crash", 1, 0, "foo-crash", false).empty());
  // The banner and the build id in a report are Linux's.
  auto report = report_of(*fixture, 4, size_of("do_work", 0));
  report.release = "13.2-RELEASE";
  report.text =
      "[    1.0] CPU: 0 PID: 1 Comm: init Not tainted 6.1.192 #1 00112233445566778899aabbccddeeff00112233\n";
  // Its kernel is not moved: an address without an offset is good as it is.
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  StackFrame frame;
  frame.address = info.named("open_device").at(0)->address + 4;
  frame.function = fmt::format("{:#x}", frame.address);
  report.traces.push_back({.name = "bare", .context = "", .frames = {frame}});
  symbolizer.symbolize(report);
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ("open_device", report.traces[1].frames.back().function);
  // An artifact says itself whose it is.
  KernelArtifact kernel;
  kernel.os = Os::freebsd;
  kernel.vmlinux = fixture->stripped();
  try {
    Symbolizer{{.kernel = kernel}};
    FAIL();
  } catch (const FormatError& e) {
    EXPECT_THAT(e.hint(), testing::Not(HasSubstr("vmlinux")));
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

// --- lookup_symbol
// -----------------------------------------------------------------------------------------------------

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

TEST_F(SymbolizerTest, LookupInElf) {
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  const auto* work = info.named("do_work").at(0);
  EXPECT_THAT(names(lookup_symbol(fixture->vmlinux(), fmt::format("{:x}", work->address + 3))),
              ElementsAre("do_work+0x3 T"));
  KernelArtifact kernel;
  kernel.vmlinux = fixture->vmlinux();
  EXPECT_THAT(names(kernel.lookup(fmt::format("{:x}", work->address))), ElementsAre("do_work+0x0 T"));
  EXPECT_THROW(lookup_symbol(fixture->stripped(), "ffffffff81000000"), FormatError);
}

TEST_F(SymbolizerTest, APrintedAddressTellsFunctionsOfOneNameApart) {
  const crash::DebugInfo info(fixture->vmlinux(), "test");
  const auto probes = info.named("probe");
  ASSERT_EQ(2u, probes.size());
  std::vector<std::string> files;
  for (const auto* probe : probes) {
    StackFrame frame;
    frame.function = "probe";
    frame.offset = 4;
    frame.address = probe->address + 4;
    CrashReport report;
    report.traces.push_back({.name = {}, .context = {}, .frames = {frame}});
    Symbolizer(fixture->sources()).symbolize(report);
    EXPECT_THAT(report.notes, IsEmpty());
    files.push_back(report.frames().back().file);
  }
  EXPECT_THAT(files, testing::UnorderedElementsAre("drivers/kernel.c", "drivers/other.c"));
}

// ddb and kern/subr_stack.c print a module's function like the kernel's.
TEST_F(SymbolizerTest, AModulesFunctionIsFoundWhereReportsDoNotNameModules) {
  const crash::DebugInfo info(fixture->module(), "test");
  const ElfSymbol* function = nullptr;
  for (const auto* symbol : info.named("foo_crash")) function = symbol;
  ASSERT_TRUE(function);
  SymbolSources sources = fixture->sources();
  const auto frame_of = [&](Os os) {
    sources.os = os;
    CrashReport report;
    StackFrame frame;
    frame.function = "foo_crash";
    frame.offset = 4;
    report.traces.push_back({.name = "KDB: stack backtrace", .context = {}, .frames = {frame}});
    Symbolizer(sources).symbolize(report);
    EXPECT_THAT(report.notes, os == Os::freebsd ? testing::Matcher<std::vector<std::string>>(IsEmpty())
                                                : testing::Matcher<std::vector<std::string>>(
                                                      testing::SizeIs(testing::Ge(1u))));
    return report.frames().back();
  };
  const StackFrame found = frame_of(Os::freebsd);
  EXPECT_EQ("foo-crash", found.module);
  EXPECT_GT(found.line, 0);
  EXPECT_EQ(0, frame_of(Os::linux).line) << "there it is printed";
}

}  // namespace
}  // namespace kdev
