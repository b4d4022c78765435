// Symbolizer::symbolize: a report's traces filled in, and what does not fit noted.
#include <fmt/format.h>

#include <kdev/error.hpp>

#include "unit/crash/symbolizer_fixture.hpp"

namespace kdev {
namespace {

using test::lines;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SymbolizeTest : public test::SymbolizerTest {};

CrashReport report_of(std::uint64_t offset, std::uint64_t size) {
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

TEST_F(SymbolizeTest, AReportIsFilledIn) {
  const Symbolizer symbolizer(fixture->sources());
  const auto offset = offset_of(fixture->vmlinux(), "do_work", "innermost", 6);
  auto report = report_of(offset, size_of("do_work", 0));
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

TEST_F(SymbolizeTest, AnotherKernelIsNoted) {
  const Symbolizer symbolizer(fixture->sources());
  auto report = report_of(4, 0x4000);
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

TEST_F(SymbolizeTest, OneOddSizeAmongRightOnesIsNothing) {
  const Symbolizer symbolizer(fixture->sources());
  auto report = report_of(4, size_of("do_work", 0));
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

TEST_F(SymbolizeTest, ArtifactWithAnotherBuildIdIsNoted) {
  SymbolSources sources;
  KernelArtifact kernel;
  kernel.vmlinux = fixture->vmlinux();
  kernel.source = fixture->tree();
  kernel.build_id = "ffff";
  sources.kernel = kernel;
  auto report = report_of(4, size_of("do_work", 0));
  Symbolizer(sources).symbolize(report);
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("ffff")));
  EXPECT_EQ("drivers/kernel.c", report.frames().back().file);
}

TEST_F(SymbolizeTest, AModuleOfAnotherBuildIsNoted) {
  const Path module = fixture->dir() / "with_id.ko";
  fixture->run({"ld", "-r", "--build-id=0x00112233445566778899aabbccddeeff00000002", "-o", module.string(),
                fixture->module().string()});
  auto sources = fixture->sources();
  sources.modules = {module};
  const Symbolizer symbolizer(sources);
  const auto notes_of = [&](const std::string& printed) {
    auto report = report_of(4, size_of("do_work", 0));
    report.text = "[    1.0]  foo_crash+0x4/0x10 [with_id " + printed + "]\n";
    symbolizer.symbolize(report);
    return report.notes;
  };
  EXPECT_THAT(notes_of("00112233445566778899aabbccddeeff00000002"), IsEmpty());
  EXPECT_THAT(notes_of("00112233445566778899aabbccddeeff00000003"),
              ElementsAre(AllOf(HasSubstr("module with_id"), HasSubstr("00000003"), HasSubstr("00000002"))));
}

TEST_F(SymbolizeTest, BareAddressesInATrace) {
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
TEST_F(SymbolizeTest, WhoseKernelItIsDecidesHowItIsRead) {
  auto sources = fixture->sources();
  sources.os = Os::freebsd;
  const Symbolizer symbolizer(sources);
  EXPECT_THAT(symbolizer.at_symbol("foo_crash", 1, 0, "foo_crash", false), IsEmpty());
  EXPECT_FALSE(symbolizer.at_symbol("foo_crash", 1, 0, "foo-crash", false).empty());
  // The banner and the build id in a report are Linux's.
  auto report = report_of(4, size_of("do_work", 0));
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

TEST_F(SymbolizeTest, APrintedAddressTellsFunctionsOfOneNameApart) {
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
TEST_F(SymbolizeTest, AModulesFunctionIsFoundWhereReportsDoNotNameModules) {
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
