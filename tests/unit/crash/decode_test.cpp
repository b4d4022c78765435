// Symbolizer::decode: a console's text with places in it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <kdev/error.hpp>

#include "crash/debug_info.hpp"
#include "unit/crash/fixture.hpp"

namespace kdev {
namespace {

using test::Fixture;

class DecodeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture = new Fixture; }
  static void TearDownTestSuite() {
    delete fixture;
    fixture = nullptr;
  }
  DecodeTest() : info_(fixture->vmlinux(), "test"), module_(fixture->module(), "test") {}

  /// "function+0xoffset/0xsize" of the first instruction whose innermost function and line these are; `past`:
  /// of the one behind the last such.
  static std::string at(const crash::DebugInfo& info, const std::string& function, const std::string& step,
                        int line, bool past = false) {
    const auto* symbol = info.named(function).at(0);
    std::string found;
    for (std::uint64_t o = 0; o < symbol->extent; ++o) {
      const auto steps = info.expand(symbol->address + o);
      if (steps.empty() || steps[0].function != step || steps[0].line != line) continue;
      found = fmt::format("{}+{:#x}/{:#x}", function, past ? o + 1 : o, symbol->extent);
      if (!past) return found;
    }
    EXPECT_NE("", found) << function << " has no instruction of " << step << ":" << line;
    return found;
  }

  std::string decode(const std::string& text, bool source = false) const {
    return Symbolizer(fixture->sources()).decode(text, source);
  }

  static Fixture* fixture;
  crash::DebugInfo info_, module_;
};
Fixture* DecodeTest::fixture = nullptr;

TEST_F(DecodeTest, AFrameGetsItsPlaceAndItsInlineFunctions) {
  const auto work = at(info_, "do_work", "innermost", 6, true);
  const auto open = at(info_, "open_device", "open_device", 25, true);
  EXPECT_EQ(
      "[    1.000000][   T1] Call Trace:\n"
      "[    1.000001][   T1]  <TASK>\n"
      "[    1.000002][   T1]  innermost drivers/kernel.c:6 [inline]\n"
      "[    1.000002][   T1]  middle drivers/kernel.c:10 [inline]\n"
      "[    1.000002][   T1]  " +
          work +
          " drivers/kernel.c:15\n"
          "[    1.000003][   T1]  ? " +
          open + " drivers/kernel.c:25\n",
      decode("[    1.000000][   T1] Call Trace:\n"
             "[    1.000001][   T1]  <TASK>\n"
             "[    1.000002][   T1]  " +
             work +
             "\n"
             "[    1.000003][   T1]  ? " +
             open + "\n"));
}

TEST_F(DecodeTest, SourceTextStandsBeside) {
  const auto open = at(info_, "open_device", "open_device", 25, true);
  EXPECT_EQ(" " + open + " drivers/kernel.c:25  | int r = probe(p); /* line 25 */", decode(" " + open, true));
}

// The same offset is the instruction itself in RIP, and the call before it in the trace.
TEST_F(DecodeTest, TheProgramCounterIsExactAReturnAddressIsNot) {
  const auto open = at(info_, "open_device", "open_device", 25, true);
  const std::string exact = decode("RIP: 0010:" + open + "\n");
  EXPECT_EQ("RIP: 0010:" + open + " drivers/kernel.c:26\n", exact);
  EXPECT_EQ(" " + open + " drivers/kernel.c:25\n", decode(" " + open + "\n"));
  // arm64's traces begin with it.
  EXPECT_EQ(
      "pc : " + open + " drivers/kernel.c:26\nlr : " + at(info_, "do_work", "do_work", 14, true) +
          " drivers/kernel.c:14\n " + open + " drivers/kernel.c:26\n",
      decode("pc : " + open + "\nlr : " + at(info_, "do_work", "do_work", 14, true) + "\n " + open + "\n"));
}

// Else a reader of the text would take an inlined function for the guilty one.
TEST_F(DecodeTest, TheProgramCounterStaysOneLine) {
  const auto work = at(info_, "do_work", "innermost", 6);
  const std::string decoded =
      "RIP: 0010:" + work +
      " (innermost drivers/kernel.c:6, inlined in middle drivers/kernel.c:10, inlined "
      "in do_work drivers/kernel.c:15)";
  EXPECT_EQ(decoded + "\n", decode("RIP: 0010:" + work + "\n"));
  EXPECT_EQ(decoded + "  | return *p + 1; /* line 6 */\n", decode("RIP: 0010:" + work + "\n", true));
}

TEST_F(DecodeTest, ASentenceStaysOneLine) {
  const auto work = at(info_, "do_work", "innermost", 6);
  EXPECT_EQ("WARNING: CPU: 0 PID: 1 at drivers/kernel.c:6 " + work +
                " (innermost drivers/kernel.c:6, inlined in middle drivers/kernel.c:10, inlined in do_work "
                "drivers/kernel.c:15)\r\n",
            decode("WARNING: CPU: 0 PID: 1 at drivers/kernel.c:6 " + work + "\r\n"));
}

TEST_F(DecodeTest, Modules) {
  const auto crash = at(module_, "foo_crash", "store", 6);
  EXPECT_EQ("RIP: 0010:" + crash +
                " [foo_crash] (store drivers/module.c:6, inlined in foo_crash drivers/module.c:11)",
            decode("RIP: 0010:" + crash + " [foo_crash]"));
  // With its build id behind the name (CONFIG_STACKTRACE_BUILD_ID).
  EXPECT_THAT(
      decode(" " + crash + " [foo_crash 00112233445566778899aabbccddeeff00112233]\n"),
      testing::EndsWith(" [foo_crash 00112233445566778899aabbccddeeff00112233] drivers/module.c:10\n"));
}

TEST_F(DecodeTest, WhatIsNotKnownPassesUnchanged) {
  const auto open = at(info_, "open_device", "open_device", 25, true);
  for (const auto& text : std::initializer_list<std::string>{
           std::string(),
           std::string("\n"),
           std::string("all is well"),
           std::string("a\r\n\r\n\n"),
           std::string("\xff\xfe\0 x+0x1/0x2\n", 14),
           std::string(" nobody+0x12/0x34\n"),
           std::string(" open_device+0x4/0x4000\n"),  // of another build
           std::string(" open_device+0x4000/0x10\n"),
           fmt::format(" open_device+0x4000/{:#x}\n", info_.named("open_device").at(0)->extent),
           std::string(" foo_crash+0x1/0x2 [nowhere]\n"),
           " " + open + " drivers/kernel.c:25\n",  // decoded by another program
           " " + open + " (drivers/kernel.c:25)\n",
           std::string(" open_device+0xfffffffffffffffff/0x10\n"),
           std::string(10000, 'x') + " " + open + "\n",
       })
    EXPECT_EQ(text, decode(text));
}

TEST_F(DecodeTest, DecodedTwiceIsDecodedOnce) {
  const std::string text = "RIP: 0010:" + at(info_, "do_work", "innermost", 6) + "\n [<ffffffff81000123>] " +
                           at(info_, "open_device", "open_device", 25, true) + "\n";
  EXPECT_EQ(decode(text), decode(decode(text)));
}

TEST_F(DecodeTest, TheScannerReadsIt) {
  const auto work = at(info_, "do_work", "innermost", 6);
  const auto open = at(info_, "open_device", "open_device", 25, true);
  const std::string text =
      "[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
      "[    1.000001] Oops: 0000 [#1] PREEMPT SMP\n"
      "[    1.000002] CPU: 0 PID: 1 Comm: init Not tainted 6.1.0-fixture #1\n"
      "[    1.000003] RIP: 0010:" +
      work +
      "\n"
      "[    1.000004] Call Trace:\n"
      "[    1.000005]  " +
      open +
      "\n"
      "[    1.000006] ---[ end trace 0000000000000000 ]---\n";
  auto plain = scan_console(text, Os::linux);
  const auto decoded = scan_console(decode(text), Os::linux);
  ASSERT_EQ(1u, plain.size());
  ASSERT_EQ(1u, decoded.size());
  EXPECT_EQ(plain[0].title, decoded[0].title);
  Symbolizer(fixture->sources()).symbolize(plain[0]);
  const auto& ours = plain[0].frames().back();
  const auto& theirs = decoded[0].frames().back();
  EXPECT_EQ("drivers/kernel.c:25", fmt::format("{}:{}", theirs.file, theirs.line));
  EXPECT_EQ(std::tie(ours.function, ours.file, ours.line),
            std::tie(theirs.function, theirs.file, theirs.line));
}

TEST_F(DecodeTest, FreebsdsFrames) {
  auto sources = fixture->sources();
  sources.os = Os::freebsd;
  const Symbolizer symbolizer(sources);
  const auto whole = at(info_, "open_device", "open_device", 25, true);
  const std::string open = whole.substr(0, whole.find('/'));
  EXPECT_EQ("open_device() at " + open +
                "/frame 0xfffffe0012345678 drivers/kernel.c:25\n"
                "#1 0xffffffff80a6bb76 at " +
                open +
                " drivers/kernel.c:25\n"
                "--- trap 0xc ---\n",
            symbolizer.decode("open_device() at " + open +
                              "/frame 0xfffffe0012345678\n"
                              "#1 0xffffffff80a6bb76 at " +
                              open +
                              "\n"
                              "--- trap 0xc ---\n"));
}

}  // namespace
}  // namespace kdev
