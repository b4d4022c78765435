// Commands: how they start, what they say, how they end.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "unit/agent/agent_test.hpp"

namespace kdev::test {
namespace {

class AgentJobs : public AgentTest {
 protected:
  AgentJobs() { agent.hello(); }
};
INSTANTIATE_TEST_SUITE_P(Programs, AgentJobs, programs(), program_name);

bool exited(const Ended& e, unsigned code) {
  return e.exit && e.exit->kind == KDEV_EXITED && e.exit->value == code;
}
bool signalled(const Ended& e, unsigned signo) {
  return e.exit && e.exit->kind == KDEV_SIGNALED && e.exit->value == signo;
}
/// Runs, sleeps or is stopped; a dead process that nobody has waited for yet is not alive.
bool alive(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  return std::getline(file, stat) && stat.find(") Z") == std::string::npos &&
         stat.find(") X") == std::string::npos;
}

TEST_P(AgentJobs, StreamsAreApartAndTheCodeIsTold) {
  const Ended e = agent.shell("echo out; echo err >&2; exit 3");
  EXPECT_TRUE(exited(e, 3));
  EXPECT_EQ(e.out, "out\n");
  EXPECT_EQ(e.err, "err\n");
  EXPECT_GT(e.exit->duration_ns, 0u);
}

TEST_P(AgentJobs, ASignalIsNoCode) {
  EXPECT_TRUE(signalled(agent.shell("kill -9 $$"), SIGKILL));
  EXPECT_TRUE(signalled(agent.shell("kill -SEGV $$"), SIGSEGV));
  EXPECT_TRUE(exited(agent.shell("exit 137"), 137));
}

TEST_P(AgentJobs, DirectoryEnvironmentAndArguments) {
  const Ended e = agent.run(
      Exec{.argv = {"sh", "-c", "pwd; echo \"$A|$B\"; for a; do echo \"<$a>\"; done", "x", "", "two words"},
           .env = {"A=1", "B=x=y z"},
           .cwd = "/usr"});
  EXPECT_EQ(e.out, "/usr\n1|x=y z\n<>\n<two words>\n");
}

TEST_P(AgentJobs, TheEnvironmentGivenReplacesTheAgents) {
  const Ended e = agent.run(Exec{.argv = {"env"}, .env = {"PATH=/usr/bin:/bin", "PATHX=1"}, .cwd = {}});
  EXPECT_NE(("\n" + e.out).find("\nPATH=/usr/bin:/bin\n"), std::string::npos);
  EXPECT_EQ(("\n" + e.out).find("\nPATH=", ("\n" + e.out).find("\nPATH=") + 1), std::string::npos);
}

TEST_P(AgentJobs, WhatCannotStartIsAnError) {
  EXPECT_EQ(agent.run({"/nope"}).error->first, ENOENT);
  EXPECT_EQ(agent.run({"no-such-program"}).error->first, ENOENT);
  EXPECT_EQ(agent.run({"/etc/passwd"}).error->first, EACCES);
  EXPECT_EQ(agent.run({"/"}).error->first, EACCES);
  const Ended e = agent.run(Exec{.argv = {"true"}, .env = {}, .cwd = "/no/such/dir"});
  EXPECT_EQ(e.error->first, ENOENT);
  EXPECT_NE(e.error->second.find("chdir /no/such/dir"), std::string::npos) << e.error->second;
  EXPECT_TRUE(exited(agent.run({"true"}), 0)) << "and the next one works";
}

TEST_P(AgentJobs, AScriptWithoutInterpreterLineIsTheShells) {
  ASSERT_EQ(agent.put(dir + "/script", "echo $1\n", 0755), 0);
  EXPECT_EQ(agent.run({dir + "/script", "hello"}).out, "hello\n");
}

TEST_P(AgentJobs, NothingButTheStreamsIsOpen) {
  EXPECT_EQ(agent.shell("for n in $(seq 0 300); do [ -e /proc/$$/fd/$n ] && echo $n; done").out, "0\n1\n2\n");
}

TEST_P(AgentJobs, SignalsAreAsUsual) {
  // Neither blocked nor ignored: SigBlk and SigIgn of /proc/PID/status.
  const Ended e = agent.run({"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"});
  EXPECT_EQ(e.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_P(AgentJobs, BinaryOutputIsUntouched) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  ASSERT_EQ(agent.put(dir + "/bytes", all), 0);
  EXPECT_EQ(agent.run({"cat", dir + "/bytes"}).out, all);
}

TEST_P(AgentJobs, AHundredMegabytesArrive) {
  // Under the sanitizers a tenth is enough.
  const std::size_t size = GetParam() == KDEV_AGENT_PROGRAM ? 100'000'000 : 10'000'000;
  const Ended e = agent.shell("head -c " + std::to_string(size) + " /dev/zero; echo end >&2; exit 4");
  EXPECT_TRUE(exited(e, 4));
  EXPECT_EQ(e.out.size(), size);
  EXPECT_EQ(e.out.find_first_not_of('\0'), std::string::npos);
  EXPECT_EQ(e.err, "end\n");
}

TEST_P(AgentJobs, InputIsFedWithinTheWindow) {
  const std::uint32_t id = 7;
  agent.start(id, {.argv = {"sha256sum"}, .env = {}, .cwd = {}, .feed = true});
  const std::size_t total = 3'000'000, piece = 10'000;
  std::size_t sent = 0, acknowledged = 0;
  while (acknowledged < total) {
    while (sent < total && sent - acknowledged + piece <= KDEV_STDIN_WINDOW) {
      agent.send(KDEV_STDIN, id, std::string(piece, 'a'));
      sent += piece;
    }
    const Frame f = agent.receive();
    ASSERT_TRUE(f.type == KDEV_STDIN_ACK || f.type == KDEV_STARTED) << f.type;
    if (f.type == KDEV_STDIN_ACK) acknowledged += read_as<std::uint32_t>(f.payload);
  }
  EXPECT_EQ(acknowledged, total);
  agent.send(KDEV_STDIN_CLOSE, id);
  const Ended e = agent.finish(id);
  EXPECT_TRUE(exited(e, 0));
  // printf 'a%.0s' $(seq 3000000) | sha256sum
  EXPECT_EQ(e.out.substr(0, 64),
            agent.shell("head -c 3000000 /dev/zero | tr '\\0' a | sha256sum").out.substr(0, 64));
}

TEST_P(AgentJobs, InputBeyondTheWindowIsRefused) {
  const std::uint32_t id = 7;
  agent.start(id, {.argv = {"sleep", "1000"}, .env = {}, .cwd = {}, .feed = true});
  // The pipe takes 64 KiB, the window as much again; never more is in memory.
  for (int i = 0; i < 3; ++i) agent.send(KDEV_STDIN, id, std::string(KDEV_STDIN_WINDOW, 'x'));
  EXPECT_EQ(agent.finish(id).error->first, EPROTO);
  const std::uint32_t sig = SIGKILL;
  agent.send(KDEV_SIGNAL, id, bytes_of(sig));
  EXPECT_TRUE(signalled(agent.finish(id), SIGKILL));
}

TEST_P(AgentJobs, AJobThatNeverReadsItsInputStopsNobody) {
  agent.start(7, {.argv = {"sleep", "1000"}, .env = {}, .cwd = {}, .feed = true});
  agent.send(KDEV_STDIN, 7, std::string(KDEV_STDIN_WINDOW, 'x'));
  agent.send(KDEV_STDIN, 7, std::string(1000, 'x'));
  EXPECT_EQ(agent.shell("echo fine").out, "fine\n");
  const std::uint32_t sig = SIGTERM;
  agent.send(KDEV_SIGNAL, 7, bytes_of(sig));
  EXPECT_TRUE(signalled(agent.finish(7), SIGTERM));
}

TEST_P(AgentJobs, AJobThatClosesItsInputEatsIt) {
  agent.start(7,
              {.argv = {"sh", "-c", "exec <&-; sleep 0.2; echo done"}, .env = {}, .cwd = {}, .feed = true});
  std::size_t acknowledged = 0;
  for (int i = 0; i < 4; ++i) {
    agent.send(KDEV_STDIN, 7, std::string(KDEV_STDIN_WINDOW / 2, 'x'));
    for (std::size_t want = acknowledged + KDEV_STDIN_WINDOW / 2; acknowledged < want;) {
      const Frame f = agent.receive();
      ASSERT_NE(f.type, 0u);
      if (f.type == KDEV_STDIN_ACK) acknowledged += read_as<std::uint32_t>(f.payload);
      if (f.type == KDEV_EXIT) return;  // it was quicker than we
      if (f.type == KDEV_OUT) agent.others[7].push_back(f);
    }
  }
  EXPECT_EQ(agent.finish(7).out, "done\n");
}

TEST_P(AgentJobs, WithoutFeedInputIsEmpty) {
  EXPECT_EQ(agent.shell("cat; echo end").out, "end\n");
}

TEST_P(AgentJobs, AJobThatClosesItsOutputEarlyIsWaitedFor) {
  const Ended e = agent.shell("echo first; exec >&- 2>&-; sleep 0.2; exit 5");
  EXPECT_TRUE(exited(e, 5));
  EXPECT_EQ(e.out, "first\n");
}

TEST_P(AgentJobs, ABackgroundChildWithThePipesDoesNotHoldTheEnd) {
  const Ended e = agent.shell("sleep 1000 & echo $!");
  ASSERT_TRUE(exited(e, 0));
  const int child = std::stoi(e.out);
  EXPECT_TRUE(alive(child)) << "what a command leaves behind on purpose lives on";
  ::kill(child, SIGKILL);
}

TEST_P(AgentJobs, ABackgroundWriterIsNotStoppedByAFullPipe) {
  const std::string done = dir + "/done";
  const Ended e = agent.shell("(sleep 0.1; head -c 1000000 /dev/zero; echo yes >" + done + ") & echo start");
  ASSERT_TRUE(exited(e, 0));
  EXPECT_EQ(e.out, "start\n");
  for (int i = 0; i < 1000 && !std::filesystem::exists(done); ++i) ::usleep(10000);
  EXPECT_TRUE(std::filesystem::exists(done)) << "what came later was read and thrown away";
  EXPECT_FALSE(agent.readable(50)) << "and not sent";
}

TEST_P(AgentJobs, TheLastOutputComesBeforeTheEnd) {
  for (int i = 0; i < 30; ++i) {
    const Ended e = agent.shell("head -c 60000 /dev/zero; echo x >&2");
    ASSERT_TRUE(exited(e, 0));
    ASSERT_EQ(e.out.size(), 60000u);
    ASSERT_EQ(e.err, "x\n");
  }
}

TEST_P(AgentJobs, SignalsGoToTheWholeGroup) {
  agent.start(7, {.argv = {"sh", "-c", "sleep 1000 & echo $!; wait"}, .env = {}, .cwd = {}});
  Frame f = agent.receive();
  EXPECT_EQ(f.type, KDEV_STARTED);
  f = agent.receive();
  ASSERT_EQ(f.type, KDEV_OUT);
  const int child = std::stoi(f.payload);
  const std::uint32_t sig = SIGKILL;
  agent.send(KDEV_SIGNAL, 7, bytes_of(sig));
  EXPECT_TRUE(signalled(agent.finish(7), SIGKILL));
  for (int i = 0; i < 500 && alive(child); ++i) ::usleep(10000);
  EXPECT_FALSE(alive(child));
}

TEST_P(AgentJobs, AStoppedJobIsStillAJob) {
  agent.start(7, {.argv = {"sh", "-c", "kill -STOP $$; echo went on"}, .env = {}, .cwd = {}});
  EXPECT_EQ(agent.receive().type, KDEV_STARTED);
  EXPECT_FALSE(agent.readable(200));
  EXPECT_EQ(agent.shell("echo other").out, "other\n");
  std::uint32_t sig = SIGCONT;
  agent.send(KDEV_SIGNAL, 7, bytes_of(sig));
  EXPECT_EQ(agent.finish(7).out, "went on\n");
  agent.start(8, {.argv = {"sh", "-c", "kill -STOP $$"}, .env = {}, .cwd = {}});
  sig = SIGKILL;
  agent.send(KDEV_SIGNAL, 8, bytes_of(sig));
  EXPECT_TRUE(signalled(agent.finish(8), SIGKILL));
}

TEST_P(AgentJobs, SeveralAtOnce) {
  constexpr std::uint32_t kJobs = 40;
  for (std::uint32_t i = 1; i <= kJobs; ++i)
    agent.start(i, {.argv = {"sh", "-c",
                             "head -c " + std::to_string(i * 5000) + " /dev/zero; exit " + std::to_string(i)},
                    .env = {},
                    .cwd = {}});
  for (std::uint32_t i = kJobs; i >= 1; --i) {
    const Ended e = agent.finish(i);
    EXPECT_TRUE(exited(e, i));
    EXPECT_EQ(e.out.size(), i * 5000);
  }
}

TEST_P(AgentJobs, AFloodDoesNotStarveTheOthers) {
  agent.start(7, {.argv = {"cat", "/dev/zero"}, .env = {}, .cwd = {}});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(agent.shell("echo here").out, "here\n");
  agent.others.clear();
  const std::uint32_t sig = SIGKILL;
  agent.send(KDEV_SIGNAL, 7, bytes_of(sig));
  EXPECT_TRUE(signalled(agent.finish(7), SIGKILL));
}

TEST_P(AgentJobs, AHostThatReadsNothingCostsNoMemory) {
  agent.start(7, {.argv = {"cat", "/dev/zero"}, .env = {}, .cwd = {}});
  ::usleep(300000);
  std::string status = agent.run({"grep", "VmRSS", "/proc/" + std::to_string(agent.pid()) + "/status"}).out;
  if (GetParam() == KDEV_AGENT_PROGRAM) {
    EXPECT_LT(std::stol(status.substr(status.find_first_of("0123456789"))), 8000) << status;
  }
  const std::uint32_t sig = SIGKILL;
  agent.send(KDEV_SIGNAL, 7, bytes_of(sig));
  EXPECT_TRUE(signalled(agent.finish(7), SIGKILL));
}

TEST_P(AgentJobs, AnIdInUseIsRefusedAndTheJobGoesOn) {
  agent.start(7, {.argv = {"sh", "-c", "read x; echo $x"}, .env = {}, .cwd = {}, .feed = true});
  agent.start(7, {.argv = {"true"}, .env = {}, .cwd = {}});
  EXPECT_EQ(agent.finish(7).error->first, EEXIST);
  agent.send(KDEV_STDIN, 7, "text\n");
  EXPECT_EQ(agent.finish(7).out, "text\n");
  EXPECT_EQ(agent.run({"echo", "again"}).out, "again\n");
}

TEST_P(AgentJobs, ResetKillsWhatRuns) {
  agent.start(7, {.argv = {"sh", "-c", "echo $$; exec sleep 1000"}, .env = {}, .cwd = {}});
  Frame f = agent.receive();
  f = agent.receive();
  ASSERT_EQ(f.type, KDEV_OUT);
  const int pid = std::stoi(f.payload);
  agent.hello(KDEV_HELLO_RESET);
  for (int i = 0; i < 500 && alive(pid); ++i) ::usleep(10000);
  EXPECT_FALSE(alive(pid));
  agent.start(7, {.argv = {"echo", "new"}, .env = {}, .cwd = {}});
  EXPECT_EQ(agent.finish(7).out, "new\n") << "the id is free, and nothing of the old job comes";
}

TEST_P(AgentJobs, WithoutResetJobsOutliveAHello) {
  agent.start(7, {.argv = {"sh", "-c", "read x; echo $x"}, .env = {}, .cwd = {}, .feed = true});
  EXPECT_EQ(agent.receive().type, KDEV_STARTED);
  agent.hello(0);
  agent.send(KDEV_STDIN, 7, "still\n");
  EXPECT_EQ(agent.finish(7).out, "still\n");
}

TEST_P(AgentJobs, TheEndOfTheChannelEndsTheJobs) {
  agent.start(7, {.argv = {"sh", "-c", "echo $$; exec sleep 1000"}, .env = {}, .cwd = {}});
  agent.receive();
  const int pid = std::stoi(agent.receive().payload);
  EXPECT_EQ(agent.close_and_wait(), 0);
  for (int i = 0; i < 500 && alive(pid); ++i) ::usleep(10000);
  EXPECT_FALSE(alive(pid));
}

}  // namespace
}  // namespace kdev::test
