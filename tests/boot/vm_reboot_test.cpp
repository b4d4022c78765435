#include <fmt/format.h>

#include "elf_patch.hpp"

using namespace kdev;
using kdev::test::BootTest;
using ::testing::HasSubstr;

namespace {

struct Reboot : BootTest {
  /// The test kernel under another name, with an image that the test has yet to write.
  KernelArtifact variant(const std::string& name) const {
    KernelArtifact kernel = test::test_kernel();
    kernel.id = name;
    kernel.release += "-" + name;
    kernel.image = run_dir / "logs" / name;
    boost::filesystem::create_directories(kernel.image.parent_path());
    return kernel;
  }
  static std::string raw_build_id(const std::string& hex) {
    std::string raw;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
      raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return raw;
  }
  static std::string hex(const std::string& raw) {
    std::string text;
    for (unsigned char c : raw) text += fmt::format("{:02x}", c);
    return text;
  }
};

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
  // Long enough for the good kernel on a busy machine.
  s.timeouts.boot = Seconds(20);
  const KernelArtifact hanging = variant("hanging");
  std::string image = local_host()->read_file(test::test_kernel().image);
  const std::size_t entry = test::pvh_entry(image);
  ASSERT_GT(entry, 0u);
  // Its first instructions: cli; hlt; jmp to the hlt.
  image.replace(entry, 4, "\xfa\xf4\xeb\xfd");
  local_host()->write_file(hanging.image, image);
  VM vm = boot(s);
  vm.install(hanging);
  const RebootResult r = vm.reboot();
  EXPECT_TRUE(r.fell_back);
  EXPECT_THAT(r.reason, HasSubstr("did not answer"));
  EXPECT_FALSE(r.crash);
  EXPECT_EQ(r.kernel, test::test_kernel());
  EXPECT_EQ(vm.run("echo ok").out, "ok\n");
}

TEST_F(Reboot, AKernelThatPanicsLeavesTheKnownGoodOneAndItsReport) {
  VM vm = boot();
  const KernelArtifact panicking = variant("panicking");
  // It looks for other first programs than the image has.
  const std::string end(1, '\0');
  ASSERT_NO_FATAL_FAILURE(test::patch_image(
      panicking.image, {{"/init" + end, "/none" + end}, {"/bin/sh" + end, "/bin/no" + end}}));
  vm.install(panicking);
  const RebootResult r = vm.reboot();
  EXPECT_TRUE(r.fell_back);
  ASSERT_TRUE(r.crash) << r.reason;
  EXPECT_TRUE(r.crash->panicked);
  EXPECT_THAT(r.crash->title, HasSubstr("No working init found"));
  EXPECT_EQ(r.kernel, test::test_kernel());
  EXPECT_EQ(vm.run("echo ok").out, "ok\n");
  EXPECT_EQ(vm.state(), VmState::ready);
}

TEST_F(Reboot, AnotherKernelThatComesUpIsTheOneThatRuns) {
  VM vm = boot();
  KernelArtifact other = variant("other");
  // Another build id, as the kernel tells it of itself.
  const std::string id = raw_build_id(test::test_kernel().build_id), another(id.rbegin(), id.rend());
  ASSERT_NO_FATAL_FAILURE(test::patch_image(other.image, {{id, another}}));
  other.build_id = hex(another);
  vm.install(other);
  RebootResult r = vm.reboot();
  EXPECT_FALSE(r.fell_back) << r.reason;
  EXPECT_EQ(r.kernel, other);
  EXPECT_THAT(vm.read_file("/sys/kernel/notes"), HasSubstr(another));
  // It is the known good one now, and the first one is no longer the machine's.
  vm.reboot();
  EXPECT_THAT(vm.read_file("/sys/kernel/notes"), HasSubstr(another));
  vm.install(test::test_kernel());
  r = vm.reboot();
  EXPECT_FALSE(r.fell_back) << r.reason;
  EXPECT_THAT(vm.read_file("/sys/kernel/notes"), HasSubstr(id));
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
  // The offset is drawn anew at each boot, and may be 0.
  std::optional<std::int64_t> offset;
  for (int i = 0; i < 6 && !offset.value_or(0); ++i) {
    if (i > 0) vm.reboot();
    const CommandResult r = vm.run("echo c > /proc/sysrq-trigger");
    ASSERT_TRUE(r.crash);
    EXPECT_TRUE(r.crash->symbolized);
    EXPECT_EQ(r.crash->guilty()->file, "drivers/tty/sysrq.c");
    ASSERT_TRUE(r.crash->kaslr_offset) << r.crash->text;
    offset = *r.crash->kaslr_offset;
  }
  EXPECT_NE(offset, 0);
}

}  // namespace
