#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fstream>
#include <kdev/host.hpp>
#include <kdev/vm.hpp>

using namespace kdev;
namespace fs = boost::filesystem;

namespace {

/// An environment variable for one test.
class Set {
 public:
  Set(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Set() {
    if (old_)
      ::setenv(name_, old_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

/// A folder for verdicts, and QEMU programs that say on standard error who they are, and end.
struct Accel : ::testing::Test {
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-test-%%%%%%%%");
  Path verdicts = dir / fmt::format("kdev-{}", ::getuid());
  std::optional<Set> runtime;

  Accel() {
    fs::create_directories(dir);
    runtime.emplace("XDG_RUNTIME_DIR", dir.string());
  }
  ~Accel() override { fs::remove_all(dir); }

  std::string program(const std::string& name) {
    const Path file = dir / name;
    local_host()->write_file(file, "#!/bin/sh\necho " + name + " ran >&2\n");
    ::chmod(file.c_str(), 0700);
    return file.string();
  }
  std::size_t kept() const {
    return fs::exists(verdicts)
               ? static_cast<std::size_t>(std::distance(fs::directory_iterator(verdicts), {}))
               : 0;
  }
  static bool kvm_opens() { return ::access("/dev/kvm", R_OK | W_OK) == 0; }
};

// Whether KVM works here is the machine's business; that the verdict is reasoned, cached and the same again
// is ours.
TEST_F(Accel, TheVerdictHasAReasonAndIsKept) {
  const AccelProbe first = probe_accel();
  EXPECT_FALSE(first.reason.empty());
  const AccelProbe again = probe_accel();
  EXPECT_EQ(first.accel, again.accel);
  EXPECT_EQ(first.reason, again.reason);
  EXPECT_NE(first.accel, kdev::Accel::automatic);
}

TEST_F(Accel, WithoutQemuThereIsNoKvmUntilItIsInstalled) {
  const Set qemu("KDEV_QEMU", (dir / "later").string());
  const AccelProbe probe = probe_accel();
  EXPECT_EQ(probe.accel, kdev::Accel::tcg);
  EXPECT_NE(probe.reason.find("not installed"), std::string::npos);
  EXPECT_EQ(kept(), 0u);
  program("later");
  EXPECT_EQ(probe_accel().reason.find("not installed"), std::string::npos);
}

TEST_F(Accel, EachProgramHasItsVerdict) {
  if (!kvm_opens()) GTEST_SKIP() << "no /dev/kvm to try";
  for (const char* name : {"one", "other", "one"}) {
    const Set qemu("KDEV_QEMU", program(name));
    const AccelProbe probe = probe_accel();
    EXPECT_NE(probe.reason.find(std::string(name) + " ran"), std::string::npos) << probe.reason;
  }
  EXPECT_EQ(kept(), 2u);
}

TEST_F(Accel, AFolderThatOthersMayWriteToIsNotTrusted) {
  if (!kvm_opens()) GTEST_SKIP() << "no /dev/kvm to try";
  fs::create_directories(verdicts);
  ::chmod(verdicts.c_str(), 0777);
  const Set qemu("KDEV_QEMU", program("untrusted"));
  probe_accel();
  EXPECT_EQ(kept(), 0u);
}

}  // namespace
