#include <gmock/gmock.h>

#include <kdev/crash.hpp>
#include <kdev/error.hpp>
#include <random>

#include "crash/report_view.hpp"

namespace kdev {
namespace {

using testing::HasSubstr;
using testing::Not;

CrashReport sample() {
  CrashReport r;
  r.kind = "oops";
  r.type = "NULL-POINTER-DEREFERENCE";
  r.title = "BUG: unable to handle kernel NULL pointer dereference in foo";
  r.alternative_titles = {"bad-access in foo"};
  r.message = "BUG: kernel NULL pointer dereference, address: 0000000000000000";
  r.function = "foo";
  r.process = "<script>alert(1)</script>";
  r.pid = 35;
  r.cpu = 1;
  r.taint = "Not tainted";
  r.release = "6.1.192";
  r.registers = {{"RIP", "0010:foo+0x13/0x54"}, {"RAX", "000000000000002e"}, {"CR2", "0000000000000000"}};
  StackFrame inner{.function = "helper",
                   .offset = 0,
                   .size = 0,
                   .module = "mod",
                   .address = 0,
                   .reliable = true,
                   .inlined = true,
                   .file = "drivers/foo.h",
                   .line = 7,
                   .source = "return *p & 1;"};
  StackFrame real{.function = "foo",
                  .offset = 0x13,
                  .size = 0x54,
                  .module = "mod",
                  .address = 0xffffffff81234567,
                  .reliable = true,
                  .inlined = false,
                  .file = "drivers/foo.c",
                  .line = 42,
                  .source = "if (a < b && helper(p))"};
  StackFrame stale;
  stale.function = "bar";
  stale.offset = 1;
  stale.size = 2;
  stale.reliable = false;
  r.traces = {{.name = "Call Trace", .context = "TASK", .frames = {inner, real, stale}},
              {.name = "Freed by task 12", .context = "", .frames = {}}};
  r.kaslr_offset = 0x1e000000;
  r.panicked = true;
  r.symbolized = true;
  r.notes = {"module mod has no build id"};
  r.dmesg = "[    0.1] one\n[    0.2] two \"quoted\" <b>\n";
  r.text = "[    0.3] BUG: ...\n";
  r.begin = 30;
  r.end = 50;
  return r;
}

TEST(ReportJson, RoundTrip) {
  const CrashReport r = sample();
  EXPECT_EQ(r, CrashReport::from_json(r.to_json()));
  EXPECT_EQ(CrashReport{}, CrashReport::from_json(CrashReport{}.to_json()));
  CrashReport extreme = sample();
  extreme.kaslr_offset = -1;
  extreme.traces[0].frames[1].address = ~0ull;
  extreme.traces[0].frames[1].offset = ~0ull;
  extreme.traces[0].frames[1].size = 1ull << 63;
  extreme.end = std::size_t(1) << 40;
  extreme.title = "\u00e4 \\ \" \t \x01";
  EXPECT_EQ(extreme, CrashReport::from_json(extreme.to_json()));
}

TEST(ReportJson, RandomValuesRoundTrip) {
  std::mt19937_64 random(1);
  const auto text = [&] {
    std::string s;
    for (int i = random() % 20; i > 0; --i) s += static_cast<char>(1 + random() % 127);
    return s;
  };
  for (int i = 0; i < 200; ++i) {
    CrashReport r;
    r.title = text();
    r.message = text();
    r.pid = static_cast<int>(random());
    r.cpu = static_cast<int>(random() % 4096) - 1;
    for (int k = random() % 4; k > 0; --k) r.registers[text()] = text();
    for (int k = random() % 4; k > 0; --k) {
      StackTrace t{.name = text(), .context = text(), .frames = {}};
      for (int n = random() % 5; n > 0; --n)
        t.frames.push_back({.function = text(),
                            .offset = random() % 2 ? random() : 0,
                            .size = random() % 100,
                            .module = text(),
                            .address = random() % 2 ? random() : 0,
                            .reliable = random() % 2 == 0,
                            .inlined = random() % 2 == 0,
                            .file = text(),
                            .line = static_cast<int>(random() % 10000),
                            .source = text()});
      r.traces.push_back(std::move(t));
    }
    if (random() % 2) r.kaslr_offset = static_cast<std::int64_t>(random());
    r.dmesg = text();
    ASSERT_EQ(r, CrashReport::from_json(r.to_json()));
  }
}

TEST(ReportJson, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", "{", "{\"traces\": 1}", "{\"traces\": [1]}", "{\"pid\": \"x\"}", "{\"registers\": []}",
        "{\"registers\": {\"RIP\": 1}}", "{\"kaslr_offset\": \"zz\"}", "{\"begin\": -1}",
        "{\"traces\": [{\"frames\": [{\"address\": \"0x1g\"}]}]}"})
    EXPECT_THROW(CrashReport::from_json(text), FormatError) << text;
}

TEST(ReportText, SaysWhereAndWhy) {
  const std::string text = sample().to_text();
  EXPECT_THAT(text, testing::StartsWith("BUG: unable to handle kernel NULL pointer dereference in foo\n"));
  EXPECT_THAT(text, HasSubstr("at foo drivers/foo.c:42"));
  EXPECT_THAT(text, HasSubstr("42 | if (a < b && helper(p))"));
  EXPECT_THAT(text, HasSubstr("(35) on CPU 1, kernel 6.1.192, Not tainted"));
  EXPECT_THAT(text, HasSubstr("\\ helper [mod]"));
  EXPECT_THAT(text, HasSubstr("? bar+0x1/0x2"));
  EXPECT_THAT(text, HasSubstr("note: module mod has no build id"));
  EXPECT_THAT(text, HasSubstr("KASLR offset 0x1e000000"));
  EXPECT_THAT(CrashReport{}.to_text(), testing::SizeIs(testing::Lt(5u)));
}

TEST(ReportText, RecursionIsFolded) {
  CrashReport r = sample();
  StackFrame again;
  again.function = "recurse";
  again.offset = 5;
  again.size = 9;
  r.traces[0].frames.insert(r.traces[0].frames.end(), 29, again);
  const std::string text = r.to_text();
  EXPECT_THAT(text, HasSubstr("... 29 times"));
  EXPECT_EQ(text.find("recurse+0x5/0x9"), text.rfind("recurse+0x5/0x9"));
  EXPECT_THAT(r.to_html(), HasSubstr("... 29 times"));
}

TEST(ReportText, ATerminalIsNotSentControlCodes) {
  CrashReport r = sample();
  r.dmesg = "\033]0;title\007 text\n";
  EXPECT_THAT(r.to_text(), Not(HasSubstr("\033")));
}

TEST(ReportHtml, EscapedAndWellNested) {
  const std::string html = sample().to_html();
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("if (a &lt; b &amp;&amp; helper(p))"));
  EXPECT_THAT(html, HasSubstr("drivers/foo.c:42"));
  std::vector<std::string> open;
  for (std::size_t i = html.find('<'); i != std::string::npos; i = html.find('<', i + 1)) {
    const bool close = html[i + 1] == '/';
    const std::size_t begin = i + 1 + close;
    const std::string name = html.substr(begin, html.find_first_of(" >", begin) - begin);
    if (!close) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << html.substr(i, 40);
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Report, GuiltyFrame) {
  const CrashReport r = sample();
  ASSERT_NE(nullptr, r.guilty());
  EXPECT_EQ(42, r.guilty()->line);
  CrashReport unknown = r;
  unknown.function = "nothing";
  EXPECT_EQ(nullptr, unknown.guilty());
  EXPECT_TRUE(CrashReport{}.frames().empty());
}

// Clang gives code of its own line 0: no line to look at.
TEST(Forms, AFrameWithoutALineNamesItsFileAlone) {
  EXPECT_EQ("sys/trap.c", view::place({.file = "sys/trap.c"}));
  EXPECT_EQ("sys/trap.c:7", view::place({.file = "sys/trap.c", .line = 7}));
  EXPECT_EQ("", view::place({.line = 7}));
}

}  // namespace
}  // namespace kdev
