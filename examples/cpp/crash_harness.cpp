// libkdev inside a GoogleTest harness: the suite builds one kernel, each test gets a fresh guest.
// $KDEV_LINUX_SOURCE names the Linux tree, $KDEV_WORKSPACE a folder for what is built.
#include <gtest/gtest.h>
#include <kdev/kdev.hpp>

#include <cstdlib>
#include <optional>
#include <string>

namespace {

std::string variable(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value ? value : fallback;
}

class Guest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const kdev::Workspace ws(variable("KDEV_WORKSPACE", "~/kdev-workspace"),
                             {.source = variable("KDEV_LINUX_SOURCE", "/usr/src/linux-source-6.1"), .host = nullptr});
    // From the artifact store when nothing changed: then this takes no make at all.
    kernel_ = ws.build(kdev::KernConf::tiny(ws).preset("debug"));
  }
  static void TearDownTestSuite() { kernel_.reset(); }

  void SetUp() override {
    kdev::VmSpec spec;
    spec.name = testing::UnitTest::GetInstance()->current_test_info()->name();
    spec.kernel = *kernel_;
    vm_.emplace(spec);
    vm_->start();
  }
  // Whatever the test did, nothing of the guest stays behind.
  void TearDown() override { vm_.reset(); }

  kdev::VM& vm() { return *vm_; }

  /// Writes `what` to LKDTM's trigger and returns the crash that follows.
  kdev::CrashReport provoke(const std::string& what) {
    const auto result = vm().run("echo " + what + " > /sys/kernel/debug/provoke-crash/DIRECT");
    auto crash = result.crash ? result.crash : vm().wait_crash(kdev::Seconds{30});
    if (!crash) throw std::runtime_error("no crash after " + what + ":\n" + vm().console());
    return *crash;
  }

  static std::optional<kdev::KernelArtifact> kernel_;

 private:
  std::optional<kdev::VM> vm_;
};
std::optional<kdev::KernelArtifact> Guest::kernel_;

TEST_F(Guest, RunsCommandsAndKeepsTheirOutputApart) {
  const auto result = vm().run("uname -r; ls /nope; exit 3");
  EXPECT_EQ(result.out, kernel_->release + "\n");
  EXPECT_NE(result.err.find("/nope"), std::string::npos) << result.err;
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.crash);
}

TEST_F(Guest, TakesAFileThereAndBack) {
  const std::string bytes("\0\x01\xff kernel\n", 11);
  vm().write_file("/tmp/bytes", bytes);
  EXPECT_EQ(vm().read_file("/tmp/bytes"), bytes);
}

TEST_F(Guest, ExplainsABug) {
  const auto crash = provoke("BUG");
  EXPECT_EQ(crash.function, "lkdtm_BUG");
  ASSERT_NE(crash.guilty(), nullptr) << crash.to_text();
  EXPECT_EQ(crash.guilty()->file, "drivers/misc/lkdtm/bugs.c");
  EXPECT_NE(crash.guilty()->source.find("BUG()"), std::string::npos) << crash.guilty()->source;
}

TEST_F(Guest, ExplainsANullDereference) {
  const auto crash = provoke("ACCESS_NULL");
  EXPECT_EQ(crash.function, "lkdtm_ACCESS_NULL") << crash.to_text();
  EXPECT_GT(crash.guilty() ? crash.guilty()->line : 0, 0);
}

TEST_F(Guest, CanBeCrashedByTheUser) {
  const auto result = vm().run("echo c > /proc/sysrq-trigger");
  ASSERT_TRUE(result.crash) << result.console;
  EXPECT_TRUE(result.crash->panicked);
}

}  // namespace
