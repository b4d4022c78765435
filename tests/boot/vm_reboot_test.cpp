#include "fixture.hpp"

using namespace kdev;
using kdev::test::BootTest;
using ::testing::HasSubstr;

namespace {

struct Reboot : BootTest {};

TEST_F(Reboot, IntoTheSameKernelIsAFreshGuest) {
  VM vm = boot();
  vm.run("touch /tmp/mark", {.check = true});
  const RebootResult r = vm.reboot();
  EXPECT_FALSE(r.fell_back);
  EXPECT_EQ(vm.run("ls /tmp").out, "");
  EXPECT_EQ(vm.state(), VmState::ready);
}

TEST_F(Reboot, AfterACrash) {
  VM vm = boot();
  ASSERT_TRUE(vm.run("echo c > /proc/sysrq-trigger").crash);
  vm.reboot();
  EXPECT_EQ(vm.run("echo back").out, "back\n");
  EXPECT_EQ(vm.crashes().size(), 1u) << "the history stays";
}

TEST_F(Reboot, AKernelThatDoesNotComeUpLeavesTheKnownGoodOne) {
  VM vm = boot();
  // An ELF file that is no kernel: the right shape, nothing that runs.
  KernelArtifact broken = test::test_kernel();
  broken.id = "broken";
  broken.release = "0.0.0-broken";
  broken.build_id = std::string(40, '0');
  vm.install(broken);
  const RebootResult r = vm.reboot();
  EXPECT_TRUE(r.fell_back);
  EXPECT_THAT(r.reason, HasSubstr("build id"));
  EXPECT_EQ(r.kernel, test::test_kernel());
  EXPECT_EQ(vm.run("uname -r").out, test::test_kernel().release + "\n");
}

TEST_F(Reboot, AKernelThatHangsLeavesTheKnownGoodOne) {
  VmSpec s = spec();
  s.timeouts.boot = Seconds(20);
  VM vm = boot(s);
  KernelArtifact broken = test::test_kernel();
  broken.id = "no-kernel";
  broken.image = run_dir / "logs" / "no-kernel";
  local_host()->write_file(broken.image, local_host()->read_file(test::test_kernel().image).substr(0, 4096));
  vm.install(broken);
  // QEMU refuses the file, or the guest stays silent: either way the known good kernel is back.
  const RebootResult r = vm.reboot();
  EXPECT_TRUE(r.fell_back);
  EXPECT_EQ(r.kernel, test::test_kernel());
  EXPECT_EQ(vm.run("echo ok").out, "ok\n");
}

TEST_F(Reboot, TheSameKernelFromTheStoreIsNoFallBack) {
  int boots = 0;
  VmSpec s = spec();
  s.timeouts.boot = Seconds(20);
  boost::filesystem::create_directories(run_dir / "logs");
  const Path image = run_dir / "logs" / "image";
  s.kernel.image = image;
  boost::filesystem::copy_file(test::test_kernel().image, image);
  VM vm(s, [&](const Event& e) {
    if (const auto* change = std::get_if<VmStateChanged>(&e)) boots += change->to == "booting";
  });
  vm.start();
  KernelArtifact same = s.kernel;
  same.from_store = !same.from_store;
  vm.install(same);
  local_host()->write_file(image, "no kernel");
  EXPECT_THROW(vm.reboot(), Error);
  EXPECT_EQ(boots, 2) << "one start, one reboot, and no second try of the same kernel";
}

TEST_F(Reboot, StopAndStartAgain) {
  VM vm = boot();
  vm.stop();
  EXPECT_EQ(vm.state(), VmState::stopped);
  EXPECT_EQ(vm.pid(), -1);
  vm.start();
  EXPECT_EQ(vm.run("echo again").out, "again\n");
}

TEST_F(Reboot, CompressedImageWithKaslrIsSymbolizedAllTheSame) {
  VmSpec s = spec();
  s.boot = BootMethod::bzimage;
  VM vm = boot(s);
  const CommandResult r = vm.run("echo c > /proc/sysrq-trigger");
  ASSERT_TRUE(r.crash);
  EXPECT_TRUE(r.crash->symbolized);
  EXPECT_EQ(r.crash->guilty()->file, "drivers/tty/sysrq.c");
  EXPECT_TRUE(r.crash->kaslr_offset) << r.crash->text;
}

}  // namespace
