// Host::run(): how commands end, also against their will, and that nothing is left behind.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <thread>

#include "host/proc.hpp"
#include "unit/host/run_helpers.hpp"
#include "unit/host/temp_dir.hpp"

namespace kdev {
namespace {

using test::expect_throw;
using test::Mark;
using test::sh;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(RunEnds, CallbackErrorEndsTheGroup) {
  const Mark mark;
  const auto call = [&] {
    local_host()->run(mark.command({"sh", "-c", "echo go; sleep 1000 & sleep 1000"}),
                      {.on_out_line = [](std::string_view) { throw std::domain_error("mine"); }});
  };
  EXPECT_THROW(call(), std::domain_error);
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(RunEnds, CallbackTimeoutIsNotTheCommands) {
  const auto e = expect_throw<TimeoutError>([] {
    sh("echo; sleep 1000",
       {.deadline = Deadline::after(Seconds(600)), .on_out_line = [](std::string_view) {
          throw TimeoutError({.attempted = "mine", .reason = "own", .hint = "", .log = {}});
        }});
  });
  EXPECT_EQ(e.attempted(), "mine");
}

TEST(RunEnds, DeadlineEndsTheWholeGroup) {
  const Mark mark;
  const auto e = expect_throw<TimeoutError>([&] {
    local_host()->run(mark.command({"sh", "-c", "sleep 1000 & sleep 1000"}),
                      {.deadline = Deadline::after(Seconds(0.2))});
  });
  EXPECT_THAT(e.attempted(), HasSubstr("sleep 1000"));
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(RunEnds, DeadlineEndsWhatIgnoresTermOrLeftTheGroup) {
  const Mark mark;
  const TempDir dir;
  const std::string script = fmt::format(
      "trap '' TERM; setsid sleep 1000 & sleep 1000 & : > {}/ready; wait; wait; wait", dir.path().string());
  EXPECT_THROW(local_host()->run(mark.command({"sh", "-c", script}),
                                 {.deadline = Deadline::after(Seconds(0.5)), .grace = Seconds(0.1)}),
               TimeoutError);
  EXPECT_TRUE(boost::filesystem::exists(dir / "ready"));
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(RunEnds, DeadlineEndsAStoppedProcess) {
  const Mark mark;
  EXPECT_THROW(local_host()->run(mark.command({"sh", "-c", "kill -STOP $$"}),
                                 {.deadline = Deadline::after(Seconds(0.2))}),
               TimeoutError);
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(RunEnds, DeadlineEndsAnEndlessFlood) {
  const Mark mark;
  EXPECT_THROW(local_host()->run(mark.command({"yes"}),
                                 {.deadline = Deadline::after(Seconds(0.2)), .capture_limit = 1000}),
               TimeoutError);
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(RunEnds, TermIsGivenTimeToCleanUp) {
  const TempDir dir;
  const std::string script =
      fmt::format("trap 'rm {0}/busy; echo cleaned; exit 0' TERM; : > {0}/busy; while :; do sleep 0.05; done",
                  dir.path().string());
  EXPECT_THROW(
      sh(script, {.deadline = Deadline::after(Seconds(0.3)), .log = dir / "log", .grace = Seconds(20)}),
      TimeoutError);
  EXPECT_FALSE(boost::filesystem::exists(dir / "busy"));
  EXPECT_THAT(TempDir::read(dir / "log"), HasSubstr("cleaned"));
}

TEST(RunEnds, PastDeadlineStartsNothing) {
  const TempDir dir;
  EXPECT_THROW(sh("echo > " + (dir / "x").string(), {.deadline = Deadline::after(Seconds(0))}), TimeoutError);
  EXPECT_FALSE(boost::filesystem::exists(dir / "x"));
}

TEST(RunEnds, StopTokenAndInterruptHook) {
  const Mark mark;
  std::stop_source source;
  const auto stop = [&](std::string_view) { source.request_stop(); };
  EXPECT_THROW(local_host()->run(mark.command({"sh", "-c", "echo; sleep 1000"}),
                                 {.deadline = Deadline::never(source.get_token()), .on_out_line = stop}),
               Interrupted);
  std::atomic<int> calls{0};
  set_interrupt_hook([&] { return ++calls > 3; });
  EXPECT_THROW(local_host()->run(mark.command({"sleep", "1000"})), Interrupted);
  set_interrupt_hook({});
  EXPECT_GT(calls, 3);
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(RunEnds, GrandchildHoldingThePipesDoesNotHang) {
  const Mark mark;
  // In the group: ended. Outside of it: a daemon, left alone, but not waited for.
  const auto in_group = local_host()->run(mark.command({"sh", "-c", "echo done; sleep 1000 &"}));
  EXPECT_EQ(in_group.out, "done\n");
  EXPECT_TRUE(in_group.ok());
  EXPECT_THAT(mark.left(), ElementsAre());
  const auto daemon =
      local_host()->run(mark.command({"sh", "-c", "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1"}));
  ASSERT_EQ(mark.left().size(), 1u);
  EXPECT_EQ(std::to_string(mark.left()[0]) + "\n", daemon.out);
  ::kill(mark.left()[0], SIGKILL);
}

TEST(RunEnds, EverythingBeforeTheEndIsRead) {
  // The child is gone long before a slow reader has what lies in the pipe, and a daemon keeps the pipe open.
  const Mark mark;
  std::string out;
  local_host()->run(mark.command({"sh", "-c", "setsid sleep 1000 & seq 1 9000"}),
                    {.on_out_line = [&](std::string_view l) {
                      if (l == "1") std::this_thread::sleep_for(std::chrono::milliseconds(400));
                      out = l;
                    }});
  EXPECT_EQ(out, "9000");
  for (int pid : mark.left()) ::kill(pid, SIGKILL);
}

TEST(RunEnds, NoZombieIsLeft) {
  std::vector<int> pids;
  for (int i = 0; i < 5; ++i) pids.push_back(std::stoi(sh("echo $$").out));
  for (int pid : pids) EXPECT_EQ(proc_stat(pid).start_time, 0u) << pid;
}

TEST(RunEnds, LeavesNoDescriptorOpen) {
  const auto count = [] { return std::distance(boost::filesystem::directory_iterator("/proc/self/fd"), {}); };
  sh("true");
  const auto before = count();
  for (int i = 0; i < 20; ++i) {
    sh("echo x", {.on_out_line = [](std::string_view) {}});
    EXPECT_THROW(local_host()->run({.argv = {"kdev-no-such-program"}}), HostError);
  }
  EXPECT_THROW(sh("sleep 100", {.deadline = Deadline::after(Seconds(0.05))}), TimeoutError);
  EXPECT_EQ(count(), before);
}

TEST(RunEnds, OutOfDescriptorsIsAnErrorAndNoChildIsLeft) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan needs a descriptor itself to see whether memory can be read";
#endif
  const Mark mark;
  rlimit before;
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int lowest = ::open("/dev/null", O_RDONLY);
  ::close(lowest);
  for (int more = 1; more < 12; ++more) {
    rlimit low = before;
    low.rlim_cur = static_cast<rlim_t>(lowest + more);
    ::setrlimit(RLIMIT_NOFILE, &low);
    std::string message;
    try {
      local_host()->run(mark.command({"true"}));
    } catch (const HostError& e) {
      message = e.what();
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    if (!message.empty()) {
      EXPECT_THAT(message, HasSubstr("Too many open files"));
    }
    EXPECT_THAT(mark.left(), ElementsAre());
  }
}

TEST(RunEnds, WhenTheProgramIgnoresSigchld) {
  ::signal(SIGCHLD, SIG_IGN);
  const auto r = sh("echo x");
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(r.out, "x\n");
  EXPECT_EQ(r.status, ExitStatus{});
  EXPECT_EQ(describe(r.status), "exit status unknown");
}

}  // namespace
}  // namespace kdev
