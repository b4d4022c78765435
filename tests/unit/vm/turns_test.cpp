#include "vm/turns.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

using kdev::vm::EitherStop;
using kdev::vm::Turns;

namespace {

TEST(Turns, ComeOneAtATime) {
  Turns turns;
  ASSERT_TRUE(turns.begin());
  std::jthread([&] { EXPECT_FALSE(turns.begin()); }).join();
  EXPECT_FALSE(turns.end());
  EXPECT_TRUE(turns.begin());
}

TEST(Turns, ClosingStopsTheOneThatRunsAndWaitsForItsEnd) {
  Turns turns;
  std::atomic<bool> begun{false}, left{false};
  std::jthread worker([&] {
    ASSERT_TRUE(turns.begin());
    const EitherStop either({}, turns.closing());
    begun = true;
    while (!either.token().stop_requested()) std::this_thread::yield();
    left = true;
    EXPECT_FALSE(turns.end());
  });
  while (!begun) std::this_thread::yield();
  ASSERT_TRUE(turns.begin_closing());
  EXPECT_TRUE(left);
  turns.end();
  ASSERT_TRUE(turns.begin()) << "what was closed may begin again";
  EXPECT_FALSE(turns.closing().stop_requested());
}

TEST(Turns, ClosingFromInsideIsLeftToTheTurn) {
  Turns turns;
  ASSERT_TRUE(turns.begin());
  EXPECT_FALSE(turns.begin_closing());
  EXPECT_TRUE(turns.closing().stop_requested());
  EXPECT_TRUE(turns.end());
  ASSERT_TRUE(turns.begin_closing());
  EXPECT_FALSE(turns.end());
}

TEST(Turns, ManyMayCloseAtOnce) {
  Turns turns;
  std::atomic<int> inside{0}, most{0}, closed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        ASSERT_TRUE(turns.begin_closing());
        if (++inside > most) most = inside.load();
        --inside;
        ++closed;
        turns.end();
      });
  }
  EXPECT_EQ(closed, 8);
  EXPECT_EQ(most, 1);
}

TEST(EitherStop, IsRequestedByOneOrTheOther) {
  for (int which : {0, 1}) {
    std::stop_source sources[2];
    const EitherStop either(sources[0].get_token(), sources[1].get_token());
    EXPECT_FALSE(either.token().stop_requested());
    sources[which].request_stop();
    EXPECT_TRUE(either.token().stop_requested());
  }
}

}  // namespace
