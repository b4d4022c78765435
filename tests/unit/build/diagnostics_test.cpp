#include "build/diagnostics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_build_rules.hpp"
#include "unit/host/temp_dir.hpp"

using namespace kdev;
using kdev::test::TempDir;
using testing::HasSubstr;

namespace {

Diagnostic parsed(std::string_view line) {
  return parse_diagnostic(line).value_or(Diagnostic{"none", -1, -1, "none", "none"});
}

struct Case {
  const char* line;
  Diagnostic expected;
};

}  // namespace

TEST(Diagnostics, OfEveryToolAreRead) {
  const Case cases[] = {
      {"kernel/fork.c:12:3: error: 'x' undeclared (first use in this function)",
       {"kernel/fork.c", 12, 3, "error", "'x' undeclared (first use in this function)"}},
      {"/src/a.c:5:10: fatal error: nope.h: No such file or directory",
       {"/src/a.c", 5, 10, "fatal error", "nope.h: No such file or directory"}},
      {"a.c:5:1: warning: unused [-Wunused]", {"a.c", 5, 1, "warning", "unused [-Wunused]"}},
      {"a.h:7:2: note: declared here", {"a.h", 7, 2, "note", "declared here"}},
      {"a.S:4: Error: no such instruction: `nopp'", {"a.S", 4, 0, "error", "no such instruction: `nopp'"}},
      {"/src/kernel/fork.c:22: undefined reference to `nowhere'",
       {"/src/kernel/fork.c", 22, 0, "error", "undefined reference to `nowhere'"}},
      {"/src/fork.c:22: more undefined references to `nowhere' follow", {"none", -1, -1, "none", "none"}},
      {"ld: kernel/fork.o:(.text+0x5): undefined reference to `nowhere'",
       {"kernel/fork.o", 0, 0, "error", "undefined reference to `nowhere'"}},
      {"ld: cannot find -lfoo: No such file or directory",
       {"", 0, 0, "error", "ld: cannot find -lfoo: No such file or directory"}},
      {"ld.lld: error: undefined symbol: nowhere", {"", 0, 0, "error", "ld: undefined symbol: nowhere"}},
      {"/usr/bin/x86_64-linux-gnu-ld: warning: a.o: missing .note.GNU-stack section",
       {"", 0, 0, "warning", "ld: a.o: missing .note.GNU-stack section"}},
      {"make[3]: *** [scripts/Makefile.build:250: kernel/fork.o] Error 1",
       {"scripts/Makefile.build", 250, 0, "error",
        "make: [scripts/Makefile.build:250: kernel/fork.o] Error 1"}},
      {"make: *** No rule to make target 'debian/certs/x.pem', needed by 'certs/x'.  Stop.",
       {"", 0, 0, "error", "make: No rule to make target 'debian/certs/x.pem', needed by 'certs/x'.  Stop."}},
      {"Makefile:12: *** missing separator.  Stop.",
       {"Makefile", 12, 0, "error", "missing separator.  Stop."}},
      {"gcc: error: unrecognized command-line option '-fnope'",
       {"", 0, 0, "error", "unrecognized command-line option '-fnope'"}},
      {"/bin/sh: 1: flex: not found", {"", 0, 0, "error", "flex: not found"}},
  };
  for (const Case& c : cases) {
    const Diagnostic d = parsed(c.line);
    EXPECT_EQ(d.file, c.expected.file) << c.line;
    EXPECT_EQ(d.line, c.expected.line) << c.line;
    EXPECT_EQ(d.column, c.expected.column) << c.line;
    EXPECT_EQ(d.severity, c.expected.severity) << c.line;
    EXPECT_EQ(d.message, c.expected.message) << c.line;
  }
}

TEST(Diagnostics, OrdinaryOutputIsNone) {
  for (const char* line :
       {"", "  CC      kernel/fork.o", "make[1]: Entering directory '/x'", "In file included from a.h:3,",
        "a.c: In function 'f':", "ld: kernel/fork.o: in function `f':", "   12 |   return x;",
        "      |          ^", "time: 12:30: all well"})
    EXPECT_FALSE(parse_diagnostic(line)) << line;
}

TEST(DiagnosticReader, FindsTheFileInTreeOrOutput) {
  TempDir source, obj;
  source.write("kernel/fork.c", "");
  obj.write("include/generated/x.h", "");
  DiagnosticReader reader(*local_host(), nullptr, source.path(), obj.path());
  EXPECT_EQ(reader.line("kernel/fork.c:1:1: error: e")->file, source / "kernel/fork.c");
  EXPECT_EQ(reader.line("include/generated/x.h:1:1: error: e")->file, obj / "include/generated/x.h");
  EXPECT_EQ(reader.line("gone.c:1:1: error: e")->file, source / "gone.c");
  EXPECT_EQ(reader.line("/abs/../x.c:1:1: error: e")->file, "/x.c");
}

TEST(DiagnosticReader, SortsErrorsFirstWithTheirNotes) {
  DiagnosticReader reader(*local_host(), nullptr, "/s", "/o");
  for (const char* line : {"a.c:1:1: warning: w", "a.c:2:1: note: of w", "make[2]: *** [x:1: a.o] Error 1",
                           "b.c:3:1: error: e", "b.c:4:1: note: of e"})
    reader.line(line);
  const auto sorted = reader.sorted();
  ASSERT_EQ(sorted.size(), 5u);
  EXPECT_EQ(sorted[0].message, "e");
  EXPECT_EQ(sorted[1].message, "of e");
  EXPECT_THAT(sorted[2].message, HasSubstr("make: "));
  EXPECT_EQ(sorted[3].message, "w");
  EXPECT_EQ(sorted[4].message, "of w");
}

TEST(DiagnosticReader, KnowsAMachineThatIsExhausted) {
  const auto exhausted = [](const char* line) {
    DiagnosticReader reader(*local_host(), nullptr, "/s", "/o");
    reader.line(line);
    return reader.exhausted();
  };
  EXPECT_EQ(exhausted("fork.c:1:1: fatal error: error writing to x.s: No space left on device"),
            "no space left on device");
  EXPECT_EQ(exhausted("gcc: fatal error: Killed signal terminated program cc1"), "out of memory");
  EXPECT_EQ(exhausted("fork.c:1:1: error: x"), "");
}

TEST(DiagnosticReader, DoesNotGrowWithoutEnd) {
  DiagnosticReader reader(*local_host(), nullptr, "/s", "/o");
  for (int i = 0; i < 5000; ++i) reader.line("a.c:1:1: warning: w");
  EXPECT_LE(reader.sorted().size(), 2000u);
}

TEST(DiagnosticReader, AsksTheGuestFirst) {
  const fakes::FakeBuildRules rules;
  DiagnosticReader reader(*local_host(), &rules, "/s", "/o");
  EXPECT_EQ(reader.line("mkconf: no vectors")->message, "no vectors");
  EXPECT_EQ(reader.line("a.c:1:1: error: e")->message, "e");
  EXPECT_EQ(reader.hint("no vectors"), "write low.s anew");
  EXPECT_THAT(reader.hint("sh: as: not found"), HasSubstr("may not be installed"));
  EXPECT_EQ(reader.hint("syntax error"), "");
  // What one guest's tools say means nothing for another.
  EXPECT_EQ(reader.hint("No rule to make target 'debian/certs/x.pem'"), "");
  EXPECT_EQ(DiagnosticReader(*local_host(), nullptr, "/s", "/o").hint("no vectors"), "");
  try {
    throw_build_failure("build", {}, reader, "/log");
  } catch (const BuildError& e) {
    EXPECT_EQ(e.hint(), "write low.s anew");
  }
}
