// Guests that crash, hang, or never come up; hypervisors that die.
#include <signal.h>

#include <thread>

#include "fixture.hpp"

using namespace kdev;
using kdev::test::BootTest;
using ::testing::HasSubstr;

namespace {

struct Failure : BootTest {};

TEST_F(Failure, APanicIsDataOnTheResult) {
  VM vm = boot();
  Job job = vm.spawn("echo before; read go; echo c > /proc/sysrq-trigger");
  // What the agent has not read when the kernel panics is lost with the guest.
  ASSERT_TRUE(job.wait_output(Seconds(60)));
  job.write("go\n");
  const CommandResult r = job.wait();
  ASSERT_TRUE(r.crash);
  EXPECT_EQ(r.crash->title, "kernel panic: sysrq triggered crash");
  EXPECT_TRUE(r.crash->panicked);
  EXPECT_TRUE(r.crash->symbolized);
  ASSERT_NE(r.crash->guilty(), nullptr);
  EXPECT_EQ(r.crash->guilty()->file, "drivers/tty/sysrq.c");
  EXPECT_EQ(r.out, "before\n");
  EXPECT_FALSE(r.exit_code);
  EXPECT_EQ(vm.state(), VmState::crashed);
  try {
    vm.run("true");
    FAIL();
  } catch (const GuestError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("sysrq triggered crash"));
    EXPECT_EQ(e.log(), vm.console_log());
  }
  EXPECT_EQ(vm.crashes().size(), 1u);
  EXPECT_TRUE(boost::filesystem::exists(vm.console_log()));
}

TEST_F(Failure, AnOopsThatTheKernelSurvivesLeavesTheGuestUsable) {
  VM vm = boot();
  const CommandResult r = vm.run("echo BUG > /sys/kernel/debug/provoke-crash/DIRECT");
  ASSERT_TRUE(r.crash);
  EXPECT_THAT(r.crash->title, HasSubstr("kernel BUG"));
  EXPECT_THAT(r.crash->guilty()->file, HasSubstr("drivers/misc/lkdtm/"));
  EXPECT_FALSE(r.crash->panicked);
  EXPECT_EQ(vm.state(), VmState::ready);
  const CommandResult after = vm.run("echo alive");
  EXPECT_EQ(after.out, "alive\n");
  EXPECT_FALSE(after.crash) << "the crash belongs to the command that made it";
}

TEST_F(Failure, EachCrashOfAGuestIsItsOwn) {
  VM vm = boot();
  ASSERT_TRUE(vm.run("echo BUG > /sys/kernel/debug/provoke-crash/DIRECT").crash);
  const CommandResult r = vm.run("echo c > /proc/sysrq-trigger");
  ASSERT_TRUE(r.crash);
  EXPECT_EQ(r.crash->title, "kernel panic: sysrq triggered crash");
  EXPECT_TRUE(r.crash->panicked);
  // No trace: panic() prints none once the kernel has oopsed (TAINT_DIE, kernel/panic.c).
  EXPECT_EQ(r.crash->text.find("lkdtm"), std::string::npos) << r.crash->text;
  EXPECT_EQ(vm.crashes().size(), 2u);
}

TEST_F(Failure, AHungGuestIsFoundAndSaysWhereItHangs) {
  VmSpec s = spec();
  s.timeouts.probe = Seconds(2);
  VM vm = boot(s);
  // One CPU that spins with interrupts off: nothing answers any more, not even a timer.
  const CommandResult r =
      vm.run("echo HARDLOCKUP > /sys/kernel/debug/provoke-crash/DIRECT", {.timeout = Seconds(2)});
  EXPECT_TRUE(r.timed_out);
  EXPECT_EQ(vm.state(), VmState::hung);
  ASSERT_TRUE(r.crash) << "the NMI makes it tell";
  bool found = false;
  for (const StackTrace& trace : r.crash->traces)
    for (const StackFrame& frame : trace.frames) found = found || frame.function == "lkdtm_HARDLOCKUP";
  EXPECT_TRUE(found) << r.crash->to_text();
  EXPECT_THROW(vm.run("true"), GuestError);
}

TEST_F(Failure, AKernelThatPanicsBeforeInitIsABootErrorWithItsReport) {
  VmSpec s = spec();
  s.image = SeedImage::busybox();
  s.cmdline = "rdinit=/no/such/init init=/neither";
  VM vm(s);
  try {
    vm.start();
    FAIL();
  } catch (const BootError& e) {
    EXPECT_THAT(e.console_tail(), HasSubstr("Kernel panic"));
    ASSERT_TRUE(e.crash());
    EXPECT_TRUE(e.crash()->panicked);
    EXPECT_TRUE(boost::filesystem::exists(e.log()));
  }
  EXPECT_EQ(vm.state(), VmState::stopped);
}

TEST_F(Failure, AnInitThatIsMissingIsABootError) {
  VmSpec s = spec();
  s.image = SeedImage::from_entries({{.type = ImageEntry::Type::dir, .path = "/dev", .mode = 0755}})
                .add_content("nothing", "/etc/motd");
  s.image = SeedImage::archive([&] {
    const Path file = run_dir / "logs" / "empty.cpio";
    boost::filesystem::create_directories(file.parent_path());
    s.image.write(file);
    return file;
  }());
  VM vm(s);
  EXPECT_THROW(vm.start(), BootError);
}

TEST_F(Failure, AGuestThatNeverAnswersIsABootErrorWithinItsTime) {
  const Path dir = run_dir / "logs" / "silent";
  boost::filesystem::create_directories(dir);
  // An init that does nothing: busybox's shell asleep.
  VmSpec s = spec();
  s.image = SeedImage::busybox().add_content("#!/bin/sh\nwhile :; do sleep 100; done\n", "/sleepy", 0755);
  s.cmdline = "rdinit=/sleepy";
  s.timeouts.boot = Seconds(8);
  VM vm(s);
  try {
    vm.start();
    FAIL();
  } catch (const BootError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("did not answer"));
  }
}

TEST_F(Failure, AnInitThatEndsTheGuestIsABootError) {
  VmSpec s = spec();
  s.image = SeedImage::busybox().add_content("#!/bin/sh\nexec /bin/busybox poweroff -f\n", "/bye", 0755);
  s.cmdline = "rdinit=/bye";
  VM vm(s);
  try {
    vm.start();
    FAIL();
  } catch (const BootError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("ended by itself"));
  }
}

TEST_F(Failure, AWrongQemuOptionIsTheHostsFault) {
  VmSpec s = spec();
  s.qemu_args = {"-device", "no-such-device"};
  VM vm(s);
  try {
    vm.start();
    FAIL();
  } catch (const HostError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("no-such-device")) << "QEMU's own words";
  }
}

TEST_F(Failure, QemuKilledInMidCommand) {
  VM vm = boot();
  const int qemu = vm.pid();
  ASSERT_GT(qemu, 0);
  std::jthread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ::kill(qemu, SIGKILL);
  });
  try {
    vm.run("sleep 100");
    FAIL();
  } catch (const HostError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("SIGKILL"));
  }
  EXPECT_EQ(vm.state(), VmState::stopped);
  EXPECT_THROW(vm.run("true"), GuestError);
}

TEST_F(Failure, AStopTokenEndsABoot) {
  VmSpec s = spec();
  s.image = SeedImage::busybox().add_content("#!/bin/sh\nwhile :; do sleep 100; done\n", "/sleepy", 0755);
  s.cmdline = "rdinit=/sleepy";
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    source.request_stop();
  });
  VM vm(s);
  EXPECT_THROW(vm.start(source.get_token()), Interrupted);
  EXPECT_EQ(vm.pid(), -1);
}

TEST_F(Failure, BadSpecsAreRefusedBeforeAnythingStarts) {
  VmSpec s = spec();
  s.memory = "lots";
  EXPECT_THROW(VM(s).start(), ConfigError);
  s = spec();
  s.cpus = 0;
  EXPECT_THROW(VM(s).start(), ConfigError);
  s = spec();
  s.name = "../x";
  EXPECT_THROW(VM{s}, ConfigError);
  s = spec();
  s.kernel.image = s.kernel.vmlinux = "/no/such/kernel";
  EXPECT_THROW(VM(s).start(), ConfigError);
}

}  // namespace
