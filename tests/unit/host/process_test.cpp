// Host::spawn() and Process: who lives, who ends, and what is inherited.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <thread>

#include "host/lease.hpp"
#include "host/proc.hpp"
#include "host/unique_fd.hpp"
#include "unit/host/temp_dir.hpp"

namespace kdev {
namespace {

using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Process spawn(const std::string& script, const SpawnOptions& options = {}) {
  return local_host()->spawn({.argv = {"sh", "-c", script}}, options);
}

/// Waits for a line in a file that a script writes when it is ready.
std::string wait_for(const Path& file) {
  const auto deadline = Deadline::after(Seconds(60));
  for (;;) {
    const std::string text = TempDir::read(file);
    if (!text.empty() && text.back() == '\n') return text.substr(0, text.size() - 1);
    deadline.check("wait for " + file.string());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST(Spawn, StatusOnceItHasEnded) {
  Process p = spawn("exit 3");
  EXPECT_TRUE(p);
  EXPECT_GT(p.pid(), 0);
  EXPECT_EQ(p.wait(Deadline::after(Seconds(60))), (ExitStatus{.code = 3, .signal = {}}));
  EXPECT_EQ(p.poll(), (ExitStatus{.code = 3, .signal = {}}));
  EXPECT_EQ(p.terminate(), (ExitStatus{.code = 3, .signal = {}}));
  EXPECT_EQ(p.wait(), (ExitStatus{.code = 3, .signal = {}}));
  EXPECT_EQ(process_start_time(p.pid()), 0u);  // no zombie
  p.signal(SIGKILL);                           // to nobody
}

TEST(Spawn, StartTimeNamesIt) {
  Process p = spawn("sleep 1000");
  EXPECT_NE(p.start_time(), 0u);
  EXPECT_EQ(p.start_time(), process_start_time(p.pid()));
}

TEST(Spawn, WaitTimesOutAndLeavesItRunning) {
  Process p = spawn("sleep 1000");
  EXPECT_THROW(p.wait(Deadline::after(Seconds(0.05))), TimeoutError);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(p.wait(Deadline::never(stop.get_token())), Interrupted);
  EXPECT_FALSE(p.poll());
  EXPECT_TRUE(proc_stat(p.pid()).alive());
}

TEST(Spawn, OutputGoesToTheLogAppended) {
  const TempDir dir;
  dir.write("log", "before\n");
  spawn("echo out; echo err >&2", {.log = dir / "log"}).wait();
  EXPECT_EQ(TempDir::read(dir / "log"), "before\nout\nerr\n");
  spawn("echo nowhere").wait();
  EXPECT_THROW(spawn("true", {.log = dir / "nope" / "log"}), HostError);
}

TEST(Spawn, SignalReachesTheGroup) {
  const TempDir dir;
  Process p = spawn(fmt::format(
      "sh -c 'trap \"echo child > {0}/a; exit\" USR1; echo > {0}/ready; while :; do sleep 0.02; done' &"
      "trap 'echo leader > {0}/b' USR1; wait; wait; exit 5",
      dir.path().string()));
  wait_for(dir / "ready");
  p.signal(SIGUSR1);
  EXPECT_EQ(p.wait(Deadline::after(Seconds(60))).code, 5);
  EXPECT_EQ(wait_for(dir / "a"), "child");
  EXPECT_EQ(wait_for(dir / "b"), "leader");
}

TEST(Spawn, TerminateEndsTheGroupOnly) {
  const TempDir dir;
  Process other = spawn("sleep 1000");
  Process p =
      spawn(fmt::format("trap '' TERM; sleep 1000 & echo $! > {}/child; wait; wait", dir.path().string()));
  const int child = std::stoi(wait_for(dir / "child"));
  const ExitStatus status = p.terminate(Seconds(0.1));
  EXPECT_EQ(status.signal, SIGKILL);  // it ignored TERM
  EXPECT_FALSE(proc_stat(child).alive());
  EXPECT_EQ(process_start_time(p.pid()), 0u);
  EXPECT_TRUE(proc_stat(other.pid()).alive());
}

TEST(Spawn, TerminateEndsAPolitelyEndingProcessByTerm) {
  const TempDir dir;
  Process p = spawn(
      fmt::format("trap 'exit 7' TERM; echo > {}/ready; while :; do sleep 0.02; done", dir.path().string()));
  wait_for(dir / "ready");
  EXPECT_EQ(p.terminate(Seconds(60)).code, 7);
}

TEST(Spawn, MembersThatOutliveTheLeaderAreEnded) {
  const TempDir dir;
  Process p = spawn(fmt::format("sleep 1000 & echo $! > {}/child; exit 4", dir.path().string()));
  EXPECT_EQ(p.wait(Deadline::after(Seconds(60))).code, 4);
  const int child = std::stoi(wait_for(dir / "child"));
  // The leader's pid stays taken, so the group's number still means this group.
  EXPECT_NE(process_start_time(p.pid()), 0u);
  EXPECT_TRUE(proc_stat(child).alive());
  EXPECT_EQ(p.terminate().code, 4);
  EXPECT_FALSE(proc_stat(child).alive());
  EXPECT_EQ(process_start_time(p.pid()), 0u);
}

TEST(Spawn, WithALeaseDescendantsOutsideTheGroupEndToo) {
  const TempDir dir;
  const std::string script = "setsid sh -c 'echo $$ > {0}/stray; exec sleep 1000' & exec sleep 1000";
  Process sibling = local_host()->spawn({.argv = {"sleep", "1000"}}, {.lease = "token-of-the-test"});
  Process p = spawn(fmt::format(fmt::runtime(script), dir.path().string()), {.lease = "token-of-the-test"});
  const int stray = std::stoi(wait_for(dir / "stray"));
  // A process has no environment for a moment while it becomes another program.
  const Deadline patience = Deadline::after(Seconds(60));
  while (processes_with_token("token-of-the-test").size() != 3) patience.check("three processes of the lease");
  p.terminate();
  EXPECT_FALSE(proc_stat(stray).alive());
  // Another process of the same lease is not p's descendant.
  EXPECT_THAT(processes_with_token("token-of-the-test"), ElementsAre(sibling.pid()));
}

TEST(Spawn, DestructorAndMove) {
  int first = 0, second = 0;
  {
    Process a = spawn("sleep 1000");
    first = a.pid();
    Process b = spawn("sleep 1000");
    second = b.pid();
    b = std::move(a);
    EXPECT_FALSE(a);
    EXPECT_EQ(b.pid(), first);
    EXPECT_EQ(process_start_time(second), 0u);  // assignment ended it
    EXPECT_TRUE(proc_stat(first).alive());
  }
  EXPECT_EQ(process_start_time(first), 0u);
  Process none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.terminate(), ExitStatus{});
}

TEST(Spawn, PassesDescriptorsUnderTheNumbersAskedFor) {
  const TempDir dir;
  const auto pair = [] {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return std::pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  };
  auto [a, a_far] = pair();
  auto [b, b_far] = pair();
  // Crosswise: a's source is b's target where possible, and low numbers where the launcher's own pipe would
  // land.
  for (const auto& [as_a, as_b] : {std::pair{3, 4}, {b_far.get(), a_far.get()}, {100, 9}, {4, 3}}) {
    Process p = spawn(fmt::format("echo to-a >/proc/self/fd/{0} 2>/dev/null; ls -l /proc/$$/fd", as_a),
                      {.log = dir / "log", .pass = {{a_far.get(), as_a}, {b_far.get(), as_b}}});
    p.wait();
  }
  const std::string before = TempDir::read(dir / "log");
  Process p = local_host()->spawn(
      {.argv = {"sh", "-c", "echo to-a >&3; read line <&4; echo got $line >&4; ls /proc/$$/fd"}},
      {.log = dir / "log2", .pass = {{a_far.get(), 3}, {b_far.get(), 4}}});
  ASSERT_EQ(::write(b.get(), "hello\n", 6), 6);
  EXPECT_EQ(p.wait(Deadline::after(Seconds(60))).code, 0);
  char text[64] = {};
  EXPECT_EQ(::read(a.get(), text, sizeof text - 1), 5);
  EXPECT_STREQ(text, "to-a\n");
  char reply[64] = {};
  EXPECT_EQ(::read(b.get(), reply, sizeof reply - 1), 10);
  EXPECT_STREQ(reply, "got hello\n");
  EXPECT_EQ(TempDir::read(dir / "log2"), "0\n1\n2\n3\n4\n");
}

TEST(Spawn, CrossedDescriptors) {
  // The source of each is the target of the other.
  const TempDir dir;
  dir.write("one", "1");
  dir.write("two", "2");
  const UniqueFd one(::open((dir / "one").c_str(), O_RDONLY | O_CLOEXEC)),
      two(::open((dir / "two").c_str(), O_RDONLY | O_CLOEXEC));
  const int n1 = one.get(), n2 = two.get();
  spawn(fmt::format("readlink /proc/self/fd/{} /proc/self/fd/{}", n1, n2),
        {.log = dir / "log", .pass = {{n1, n2}, {n2, n1}}})
      .wait();
  EXPECT_EQ(TempDir::read(dir / "log"), fmt::format("{0}/two\n{0}/one\n", dir.path().string()));
}

TEST(Spawn, DescriptorsThatCannotBePassed) {
  EXPECT_THROW(spawn("true", {.pass = {{-1, 3}}}), HostError);
  EXPECT_THROW(spawn("true", {.pass = {{0, 1}}}), HostError);
  EXPECT_THROW(spawn("true", {.pass = {{54321, 3}}}), HostError);  // not open
}

TEST(Spawn, SignalFromAnotherThreadWhileItEnds) {
  for (int i = 0; i < 20; ++i) {
    Process p = spawn("exit 0");
    std::jthread other([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) p.signal(0);
    });
    EXPECT_EQ(p.wait(Deadline::after(Seconds(60))).code, 0);
  }
}

TEST(Spawn, AForkedCopyLeavesItAlone) {
  Process p = spawn("sleep 1000", {.lease = "token-of-the-fork"});
  const int pid = ::fork();
  if (pid == 0) {
    p.signal(SIGKILL);
    p.poll();
    p.terminate();
    { const Process gone = std::move(p); }
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  EXPECT_FALSE(p.poll());
  EXPECT_TRUE(proc_stat(p.pid()).alive());
}

TEST(Proc, NamesMayHoldAnything) {
  const TempDir dir;
  boost::filesystem::create_symlink("/bin/sleep", dir / "x) R 1 (y");
  Process p = local_host()->spawn({.argv = {(dir / "x) R 1 (y").string(), "1000"}});
  const ProcStat s = proc_stat(p.pid());
  EXPECT_EQ(s.parent, ::getpid());
  EXPECT_EQ(s.group, p.pid());
  EXPECT_TRUE(s.alive());
  EXPECT_THAT(group_members(p.pid()), ElementsAre(p.pid()));
  EXPECT_EQ(process_start_time(-1), 0u);
  EXPECT_EQ(process_start_time(0), 0u);
}

TEST(Proc, TokensAreComparedWhole) {
  Process p =
      local_host()->spawn({.argv = {"sleep", "1000"}, .env = {{"XKDEV_LEASE", "abcd"}}}, {.lease = "abcdef"});
  EXPECT_THAT(processes_with_token("abcd"), ElementsAre());
  EXPECT_THAT(processes_with_token("bcdef"), ElementsAre());
  EXPECT_THAT(processes_with_token(""), ElementsAre());
  EXPECT_THAT(processes_with_token("abcdef"), ElementsAre(p.pid()));
}

}  // namespace
}  // namespace kdev
