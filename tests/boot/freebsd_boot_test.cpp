// Kernel, root in memory and agent of FreeBSD, started without its loader and without a disk.
#include <signal.h>

#include "freebsd_fixture.hpp"

using namespace kdev;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

struct FreebsdDirectBoot : ::testing::Test {
  static const test::FreebsdBuild& build() {
    static const test::FreebsdBuild build;
    return build;
  }
  Path dir = boost::filesystem::temp_directory_path() / boost::filesystem::unique_path("kdev-run-%%%%%%%%");
  void SetUp() override {
    if (!build().missing().empty()) GTEST_SKIP() << build().missing();
    boost::filesystem::create_directories(dir);
    ::setenv("KDEV_MAKEFS", build().makefs().c_str(), 1);
    ::setenv("XDG_CACHE_HOME", dir.c_str(), 1);  // no images of half a gigabyte in the user's
  }
  void TearDown() override {
    ::unsetenv("XDG_CACHE_HOME");
    boost::filesystem::remove_all(dir);
  }
  VmSpec spec() const {
    VmSpec s;
    s.kernel = build().kernel();
    s.image = build().image(dir);
    s.memory = "512M";
    s.cpus = 2;
    s.run_dir = dir / "run";
    return s;
  }
  static VM boot(VmSpec s) {
    VM vm(std::move(s));
    vm.start();
    return vm;
  }
};

TEST_F(FreebsdDirectBoot, CommandsRun) {
  VM vm = boot(spec());
  CommandResult r = vm.run("sysctl -n kern.version");
  EXPECT_THAT(r.out, HasSubstr("FreeBSD " + build().kernel().release));
  EXPECT_EQ(r.exit_code, 0);
  r = vm.run("echo out; echo err >&2; exit 3");
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
  EXPECT_EQ(r.exit_code, 3);
  r = vm.run("kill -TERM $$");
  EXPECT_EQ(r.signal, SIGTERM);
  Job job = vm.spawn(std::vector<std::string>{"/bin/sleep", "100"});
  job.signal(SIGUSR1);
  EXPECT_EQ(job.wait().signal, SIGUSR1) << "its number is another one there";
  EXPECT_EQ(vm.run("echo $GREETING; pwd", {.env = {{"GREETING", "hello"}}, .cwd = "/tmp"}).out,
            "hello\n/tmp\n");
  EXPECT_EQ(vm.run("sysctl -n kern.bootfile").out, "/boot/kernel/kernel\n");
  EXPECT_THAT(vm.run("nothing-there").err, HasSubstr("not found"));
  EXPECT_THAT(vm.console(), HasSubstr("Copyright (c) 1992"));
}

TEST_F(FreebsdDirectBoot, AnotherKernelThanTheArtifactSaysIsNoticed) {
  VmSpec s = spec();
  ASSERT_FALSE(s.kernel.build_id.empty());
  s.kernel.build_id.back() = s.kernel.build_id.back() == '0' ? '1' : '0';
  EXPECT_THROW(boot(s), GuestError);
}

/// The port drops what it has no room for, and is a terminal.
TEST_F(FreebsdDirectBoot, BytesArriveAsTheyAre) {
  VM vm = boot(spec());
  std::string bytes(1'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  EXPECT_EQ(vm.run("cat", {.input = bytes}).out, bytes);
  vm.write_file("/tmp/bytes", bytes);
  EXPECT_EQ(vm.read_file("/tmp/bytes"), bytes);
}

TEST_F(FreebsdDirectBoot, ModulesAndVariablesAreThereFromTheStart) {
  const Path module = build().module("nullfs");
  if (module.empty()) GTEST_SKIP() << "nullfs.ko was not built with the kernel";
  VmSpec s = spec();
  s.cmdline = "nullfs_load=YES nullfs_name=" + module.string() + " kern.maxproc=1234";
  VM vm = boot(s);
  EXPECT_THAT(vm.run("kldstat").out, HasSubstr("nullfs.ko"));
  EXPECT_EQ(vm.run("sysctl -n kern.maxproc").out, "1234\n");
  EXPECT_THAT(vm.run("sysctl kern.boot_id").err, IsEmpty()) << "random numbers are seeded";
}

TEST_F(FreebsdDirectBoot, TheOldMachineTypeBootsAsWell) {
  VmSpec s = spec();
  s.qemu_args = {"-machine", "pc"};
  EXPECT_EQ(boot(s).run("echo up").out, "up\n");
}

TEST_F(FreebsdDirectBoot, ALargeRootBoots) {
  namespace fs = boost::filesystem;
  const Path large = dir / "large";
  local_host()->write_file(large, "");
  fs::resize_file(large, 400u << 20);
  VmSpec s = spec();
  s.memory = "2G";
  s.image = s.image.add_file(large, "/large", 0644);
  EXPECT_EQ(boot(s).run("cat /large > /dev/null").exit_code, 0);
}

TEST_F(FreebsdDirectBoot, StopsAndStartsAgain) {
  VmSpec s = spec();
  VM vm = boot(s);
  vm.run("echo kept > /tmp/file");
  const RebootResult again = vm.reboot();
  EXPECT_FALSE(again.fell_back) << again.reason;
  EXPECT_EQ(vm.run("cat /tmp/file").exit_code, 1);
  vm.stop();
  EXPECT_EQ(vm.state(), VmState::stopped);
  EXPECT_THAT(vm.console(), HasSubstr("Powering system off"));
}

TEST_F(FreebsdDirectBoot, APanicIsAReportAndTheGuestBootsAgain) {
  VM vm = boot(spec());
  const CommandResult r = vm.run("sysctl debug.kdb.panic=1");
  ASSERT_TRUE(r.crash);
  EXPECT_EQ(r.crash->title, "panic: kdb_sysctl_panic");
  EXPECT_EQ(r.crash->type, "DoS");
  EXPECT_EQ(r.crash->function, "kdb_sysctl_panic");
  EXPECT_TRUE(r.crash->panicked);
  EXPECT_FALSE(r.crash->corrupted);
  EXPECT_THAT(r.crash->notes, IsEmpty());
  EXPECT_EQ(vm.state(), VmState::crashed) << "it sits in ddb, or reboots";
  const StackFrame* guilty = r.crash->guilty();
  ASSERT_TRUE(guilty);
  EXPECT_EQ(guilty->file, "sys/kern/subr_kdb.c");
  EXPECT_THAT(guilty->source, HasSubstr("panic("));
  vm.reboot();
  EXPECT_EQ(vm.run("echo up").out, "up\n");
}

TEST_F(FreebsdDirectBoot, ATrapIsAReportOfTheInstructionThatFaulted) {
  VM vm = boot(spec());
  const CommandResult r = vm.run("sysctl debug.kdb.trap=1");
  ASSERT_TRUE(r.crash);
  EXPECT_EQ(r.crash->title, "Fatal trap NUM: page fault in kdb_sysctl_trap");
  EXPECT_EQ(r.crash->registers.at("CR2"), "0x10");
  const StackFrame* guilty = r.crash->guilty();
  ASSERT_TRUE(guilty);
  EXPECT_EQ(guilty->file, "sys/kern/subr_kdb.c");
  EXPECT_THAT(guilty->source, HasSubstr("return (*addr);"));
  vm.close();
  EXPECT_EQ(vm.state(), VmState::stopped);
}

}  // namespace
