#include "vm/crash_watch.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_rules.hpp"

using namespace kdev;
using vm::CrashEpisode;
using vm::CrashWatch;

namespace {

struct CrashWatchTest : ::testing::Test {
  fakes::FakeRules rules;
  CrashWatch watch{&rules, Seconds(10)};
  Clock::time_point now{};
  std::size_t offset = 0;
  std::vector<std::string> lines;

  void feed(std::string_view text) {
    watch.feed(text, offset, now, [this](std::string_view line) { lines.emplace_back(line); });
    offset += text.size();
  }
  void pass(double seconds) { now += std::chrono::duration_cast<Clock::duration>(Seconds(seconds)); }
};

TEST_F(CrashWatchTest, OrdinaryOutputIsNoCrash) {
  feed("booting\r\nready\r\n");
  EXPECT_FALSE(watch.open());
  EXPECT_FALSE(watch.settle(now, true));
  EXPECT_EQ(lines, (std::vector<std::string>{"booting", "ready"}));
}

TEST_F(CrashWatchTest, ALineInPiecesIsOneLine) {
  feed("x\nB");
  feed("U");
  EXPECT_FALSE(watch.open());
  feed("G: bad\n");
  EXPECT_TRUE(watch.open());
  EXPECT_EQ(watch.settle(now, true), (CrashEpisode{2, 11, false}));
}

TEST_F(CrashWatchTest, SilenceAfterTheEndMarkerCompletesIt) {
  feed("BUG\ntrace\n---[ end trace ]---\n");
  pass(0.05);
  EXPECT_FALSE(watch.settle(now, false));
  pass(0.2);
  EXPECT_EQ(watch.settle(now, false), (CrashEpisode{0, 30, false}));
  EXPECT_FALSE(watch.open());
}

TEST_F(CrashWatchTest, WithoutAnEndMarkerItTakesLongerSilence) {
  feed("BUG\ntrace\n");
  pass(0.5);
  EXPECT_FALSE(watch.settle(now, false));
  feed("more\n");
  pass(0.9);
  EXPECT_FALSE(watch.settle(now, false));
  pass(0.2);
  EXPECT_EQ(watch.settle(now, false), (CrashEpisode{0, 15, false}));
}

TEST_F(CrashWatchTest, AnEndlessReportIsCutAtTheLimit) {
  feed("BUG\n");
  for (int i = 0; i < 100; ++i) {
    pass(0.11);
    feed("again and again\n");
    if (watch.settle(now, false)) return;
  }
  FAIL() << "never settled";
}

TEST_F(CrashWatchTest, APanicIsFatalAndAPanicDeviceIsEnough) {
  feed("BUG\nKernel panic\n");
  EXPECT_TRUE(watch.fatal());
  EXPECT_TRUE(watch.settle(now, true)->fatal);
  watch.panicked(offset, now);
  EXPECT_EQ(watch.settle(now, true), (CrashEpisode{offset, offset, true}));
}

TEST_F(CrashWatchTest, ASecondBeginningBelongsToTheSameEpisode) {
  feed("BUG one\nend trace\nBUG two\n");
  pass(0.5);
  EXPECT_FALSE(watch.settle(now, false)) << "the second report has no end yet";
  feed("end trace\n");
  pass(0.5);
  EXPECT_EQ(watch.settle(now, false), (CrashEpisode{0, offset, false}));
}

TEST_F(CrashWatchTest, ALineWithoutEndDoesNotGrow) {
  const std::string piece(1 << 20, 'y');
  for (int i = 0; i < 8; ++i) feed(piece);
  feed("\n");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LE(lines[0].size(), 64u << 10);
}

}  // namespace
