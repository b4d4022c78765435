#include <gtest/gtest.h>
#include <kdev/vm.hpp>

using namespace kdev;

// Whether KVM works here is the machine's business; that the verdict is reasoned, cached and the same again is ours.
TEST(Accel, TheVerdictHasAReasonAndIsKept) {
  const AccelProbe first = probe_accel();
  EXPECT_FALSE(first.reason.empty());
  const AccelProbe again = probe_accel();
  EXPECT_EQ(first.accel, again.accel);
  EXPECT_EQ(first.reason, again.reason);
  EXPECT_NE(first.accel, Accel::automatic);
}

TEST(Accel, WithoutQemuThereIsNoKvm) {
  ::setenv("KDEV_QEMU", "/no/such/qemu", 1);
  const AccelProbe probe = probe_accel(false);
  ::unsetenv("KDEV_QEMU");
  EXPECT_EQ(probe.accel, Accel::tcg);
  EXPECT_NE(probe.reason.find("not installed"), std::string::npos);
}
