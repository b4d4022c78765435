// A VM that several threads use, and states that change while nobody looks.
#include <signal.h>

#include <atomic>
#include <future>
#include <thread>

#include "fixture.hpp"

using namespace kdev;
using kdev::test::BootTest;
using ::testing::HasSubstr;

namespace {

struct Threads : BootTest {
  /// A guest that boots and then stays silent for ever.
  VmSpec silent() const {
    VmSpec s = spec();
    s.image = SeedImage::busybox().add_content("#!/bin/sh\nwhile :; do sleep 100; done\n", "/sleepy", 0755);
    s.cmdline = "rdinit=/sleepy";
    return s;
  }
  static void await(const std::function<bool()>& done) {
    while (!done()) std::this_thread::yield();
  }
};

TEST_F(Threads, APanicIsOnTheResultOfEachCommandThatItEnded) {
  VM vm = boot();
  std::array<std::shared_ptr<const CrashReport>, 4> crashes;
  {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < crashes.size(); ++i) jobs.push_back(vm.spawn("sleep 1000"));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < crashes.size(); ++i)
      threads.emplace_back([&, i] { crashes[i] = jobs[i].wait().crash; });
    vm.run("echo c > /proc/sysrq-trigger");
  }
  for (const auto& crash : crashes) {
    ASSERT_TRUE(crash);
    EXPECT_EQ(crash->title, "kernel panic: sysrq triggered crash");
  }
  EXPECT_EQ(vm.crashes().size(), 1u);
}

TEST_F(Threads, ClosingEndsAStartOnAnotherThread) {
  VM vm(silent());
  std::future<void> start = std::async(std::launch::async, [&] { vm.start(); });
  await([&] { return vm.state() == VmState::booting; });
  vm.close();
  EXPECT_EQ(vm.state(), VmState::stopped);
  try {
    start.get();
    FAIL();
  } catch (const GuestError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("closed"));
  }
}

TEST_F(Threads, ClosingEndsARebootOnAnotherThread) {
  std::atomic<bool> again{false};
  VM vm(spec(), [&](const Event& e) {
    const auto* change = std::get_if<VmStateChanged>(&e);
    if (change && change->from == "ready" && change->to == "booting") again = true;
  });
  vm.start();
  std::future<RebootResult> reboot = std::async(std::launch::async, [&] { return vm.reboot(); });
  await([&] { return again.load(); });
  vm.close();
  EXPECT_EQ(vm.pid(), -1);
  EXPECT_THROW(reboot.get(), GuestError);
}

TEST_F(Threads, ASinkMayCloseTheMachineThatStarts) {
  VM* self = nullptr;
  VM vm(spec(), [&](const Event& e) {
    if (const auto* change = std::get_if<VmStateChanged>(&e); change && change->to == "booting")
      self->close();
  });
  self = &vm;
  EXPECT_THROW(vm.start(), GuestError);
  EXPECT_EQ(vm.state(), VmState::stopped);
  EXPECT_EQ(vm.pid(), -1);
  EXPECT_TRUE(vm.directory().empty());
}

TEST_F(Threads, AClosedMachineStartsAgain) {
  VM vm = boot();
  vm.close();
  vm.start();
  EXPECT_EQ(vm.run("echo again").out, "again\n");
}

TEST_F(Threads, AStateThatNobodyAskedForIsSeen) {
  VM vm = boot();
  Job job = vm.spawn("echo c > /proc/sysrq-trigger");
  vm.wait_console("Kernel panic", Seconds(60));
  EXPECT_EQ(vm.state(), VmState::crashed);
  EXPECT_THAT(vm.state_reason(), HasSubstr("panic"));
  ASSERT_TRUE(vm.wait_crash(Seconds(60)));
  EXPECT_EQ(vm.state_reason(), "kernel panic: sysrq triggered crash");
}

TEST_F(Threads, AProcessThatWasKilledIsSeen) {
  std::vector<std::string> states;
  VM vm(spec(), [&](const Event& e) {
    if (const auto* change = std::get_if<VmStateChanged>(&e)) states.push_back(change->to);
  });
  vm.start();
  ::kill(vm.pid(), SIGKILL);
  await([&] { return vm.state() == VmState::stopped; });
  EXPECT_THROW(vm.run("true"), GuestError);
  vm.close();
  EXPECT_THAT(states, ::testing::ElementsAre("booting", "ready", "stopped"));
  vm.start();
  EXPECT_EQ(vm.run("echo again").out, "again\n");
}

TEST_F(Threads, ABrokenChannelIsAnErrorAndNotAnEmptyResult) {
  VM vm = boot();
  vm.run("head -c 3000000 /dev/zero > /tmp/big", {.check = true});
  Job job = vm.spawn("sleep 1000");
  // The machine runs on, but its end of the channel is closed.
  vm.qmp("chardev-change", R"({"id": "agent", "backend": {"type": "null", "data": {}}})");
  try {
    job.wait();
    FAIL();
  } catch (const GuestError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("channel broke"));
    EXPECT_EQ(e.log(), vm.console_log());
  }
  EXPECT_EQ(vm.state(), VmState::hung);
  EXPECT_THROW(vm.run("true"), GuestError);
  EXPECT_THROW(vm.read_file("/tmp/big"), GuestError);
  vm.reboot();
  EXPECT_EQ(vm.run("echo back").out, "back\n");
}

TEST_F(Threads, ABrokenChannelEndsATransfer) {
  VM vm = boot();
  std::future<std::string> endless =
      std::async(std::launch::async, [&] { return vm.read_file("/dev/zero"); });
  vm.qmp("chardev-change", R"({"id": "agent", "backend": {"type": "null", "data": {}}})");
  try {
    endless.get();
    FAIL();
  } catch (const GuestError& e) {
    EXPECT_THAT(e.what(), HasSubstr("channel broke"));
  }
}

TEST_F(Threads, EachCrashIsGivenOut) {
  VM vm = boot();
  const std::string bug = "echo BUG > /sys/kernel/debug/provoke-crash/DIRECT";
  {
    Job first = vm.spawn(bug);
    while (vm.crashes().empty()) std::this_thread::yield();
  }
  // What a command returns is its own crash, not the one that waits.
  const CommandResult r = vm.run("echo WARNING > /sys/kernel/debug/provoke-crash/DIRECT");
  ASSERT_TRUE(r.crash);
  EXPECT_THAT(r.crash->title, HasSubstr("WARNING"));
  {
    Job third = vm.spawn(bug);
    while (vm.crashes().size() < 3) std::this_thread::yield();
  }
  const auto all = vm.crashes();
  auto crash = vm.wait_crash(Seconds(0));
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->begin, all[0].begin);
  crash = vm.wait_crash(Seconds(0));
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->begin, all[2].begin);
  EXPECT_FALSE(vm.wait_crash(Seconds(0)));
}

TEST_F(Threads, AKilledJobSaysHowItEnded) {
  VM vm = boot();
  Job job = vm.spawn("echo begun; sleep 1000");
  ASSERT_TRUE(job.wait_output(Seconds(60)));
  EXPECT_EQ(job.read_out(), "begun\n");
  job.kill();
  const CommandResult r = job.wait();
  EXPECT_EQ(r.signal, SIGKILL);
  EXPECT_FALSE(r.timed_out);
  EXPECT_THROW(job.wait(), GuestError) << "given out once";
}

TEST_F(Threads, AWaitThatASinkEndedLosesNothing) {
  bool thrown = false;
  VM vm(spec(), [&](const Event& e) {
    if (std::holds_alternative<CrashFound>(e) && !std::exchange(thrown, true))
      throw std::runtime_error("sink");
  });
  vm.start();
  Job job = vm.spawn("echo BUG > /sys/kernel/debug/provoke-crash/DIRECT");
  EXPECT_THROW(job.wait(), std::runtime_error);
  EXPECT_TRUE(job.wait().crash);
}

TEST_F(Threads, OutputIsWaitedForAndReadBeyondTheLimit) {
  VM vm = boot();
  Job job = vm.spawn("while read x; do echo $x $x $x; done", {.output_limit = 64});
  EXPECT_FALSE(job.wait_output(Seconds(0.05)));
  for (int i = 0; i < 50; ++i) {
    const std::string word = "word" + std::to_string(i);
    job.write(word + "\n");
    std::string line;
    while (line.find('\n') == std::string::npos) {
      ASSERT_TRUE(job.wait_output(Seconds(60)));
      line += job.read_out();
    }
    EXPECT_EQ(line, word + " " + word + " " + word + "\n");
  }
  job.close_input();
  EXPECT_TRUE(job.wait_output(Seconds(60))) << "its end counts";
  const CommandResult r = job.wait();
  EXPECT_TRUE(r.truncated);
  EXPECT_LE(r.out.size(), 64u);
}

}  // namespace
