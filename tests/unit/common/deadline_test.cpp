#include <kdev/deadline.hpp>
#include <kdev/error.hpp>

#include <gtest/gtest.h>

using namespace kdev;

TEST(Deadline, NeverDoesNotExpire) {
  Deadline d;
  EXPECT_FALSE(d.expired());
  EXPECT_EQ(d.slice_ms(), 100);
  EXPECT_NO_THROW(d.check("wait"));
}

TEST(Deadline, ExpiredThrowsTimeoutWithWhatWasAttempted) {
  Deadline d = Deadline::after(Seconds(0));
  EXPECT_TRUE(d.expired());
  EXPECT_EQ(d.slice_ms(), 0);
  try {
    d.check("boot vm0");
    FAIL() << "no exception";
  } catch (const TimeoutError& e) {
    EXPECT_EQ(e.attempted(), "boot vm0");
  }
}

TEST(Deadline, HugeTimeoutsDoNotOverflow) {
  EXPECT_FALSE(Deadline::after(Seconds(1e300)).expired());
  EXPECT_FALSE(Deadline::after(Seconds(1e9)).expired());
}

TEST(Deadline, StopTokenWinsOverTime) {
  std::stop_source source;
  Deadline d = Deadline::after(Seconds(0), source.get_token());
  source.request_stop();
  EXPECT_THROW(d.check("wait"), Interrupted);
}

TEST(Deadline, WithinKeepsTheEarlierOne) {
  Deadline d = Deadline::after(Seconds(0.01));
  EXPECT_LE(d.within(Seconds(100)).remaining().count(), 0.01);
  EXPECT_LE(Deadline().within(Seconds(1)).remaining().count(), 1.0);
}

TEST(Deadline, HookInterrupts) {
  set_interrupt_hook([] { return true; });
  EXPECT_THROW(Deadline().check("wait"), Interrupted);
  set_interrupt_hook({});
  EXPECT_NO_THROW(Deadline().check("wait"));
}
