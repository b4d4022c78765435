// Host::run(): what a command gets and what it gives back.
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

TEST(Run, KeepsStreamsApart) {
  const auto r = sh("echo out; echo err >&2");
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
  EXPECT_TRUE(r.ok());
  EXPECT_FALSE(r.truncated);
  EXPECT_GT(r.duration.count(), 0);
}

TEST(Run, CodesAndSignalsAreDifferentThings) {
  const auto code = sh("exit 137");
  EXPECT_EQ(code.status, (ExitStatus{.code = 137, .signal = {}}));
  const auto signal = sh("kill -9 $$");
  EXPECT_EQ(signal.status, (ExitStatus{.code = {}, .signal = SIGKILL}));
  EXPECT_FALSE(signal.ok());
}

TEST(Run, ArgumentsPassUnchanged) {
  const std::vector<std::string> odd = {"a b", "", "$HOME", "'", "\"", "*", "line\nbreak", "\xff\xfe"};
  std::vector<std::string> argv = {"printf", "<%s>"};
  argv.insert(argv.end(), odd.begin(), odd.end());
  std::string expected;
  for (const auto& a : odd) expected += "<" + a + ">";
  EXPECT_EQ(local_host()->run({.argv = argv}).out, expected);
}

TEST(Run, InputIsReadToItsEnd) {
  std::string input;
  for (int i = 0; i < 300000; ++i) input += fmt::format("{}\n", i);
  const auto r = local_host()->run({.argv = {"cat"}, .input = input});
  EXPECT_EQ(r.out, input);
}

TEST(Run, NoInputIsDevNull) {
  EXPECT_EQ(sh("cat; readlink /proc/self/fd/0").out, "/dev/null\n");
}

TEST(Run, InputThatNobodyReadsDoesNoHarm) {
  const auto r = local_host()->run({.argv = {"true"}, .input = std::string(8u << 20, 'x')});
  EXPECT_TRUE(r.ok());
}

TEST(Run, FloodsOnBothStreamsWithInput) {
  // cat's copy and a second flood at once, each far more than a pipe holds.
  const std::string input(3u << 20, 'i');
  const auto r =
      local_host()->run({.argv = {"sh", "-c", "head -c 3000000 /dev/zero >&2 & cat; wait"}, .input = input});
  EXPECT_EQ(r.out.size(), input.size());
  EXPECT_EQ(r.err.size(), 3000000u);
  EXPECT_TRUE(r.ok());
}

TEST(Run, BinaryOutput) {
  EXPECT_EQ(sh("printf '\\000\\377\\n\\000'").out, std::string("\0\xff\n\0", 4));
}

TEST(Run, EnvironmentIsInheritedChangedAndUnset) {
  ::setenv("KDEV_TEST_KEPT", "1", 1);
  ::setenv("KDEV_TEST_GONE", "1", 1);
  const auto r = local_host()->run(
      {.argv = {"env"}, .env = {{"KDEV_TEST_NEW", "a=b c"}}, .unset_env = {"KDEV_TEST_GONE"}});
  ::unsetenv("KDEV_TEST_KEPT");
  ::unsetenv("KDEV_TEST_GONE");
  EXPECT_THAT(r.out, HasSubstr("KDEV_TEST_KEPT=1\n"));
  EXPECT_THAT(r.out, HasSubstr("KDEV_TEST_NEW=a=b c\n"));
  EXPECT_THAT(r.out, Not(HasSubstr("KDEV_TEST_GONE")));
}

TEST(Run, WorkingDirectory) {
  const TempDir dir;
  dir.write("tool", "#!/bin/sh\npwd\n", 0755);
  EXPECT_EQ(local_host()->run({.argv = {"pwd", "-P"}, .cwd = dir.path()}).out, dir.path().string() + "\n");
  EXPECT_EQ(local_host()->run({.argv = {"./tool"}, .cwd = dir.path()}).out, dir.path().string() + "\n");
  const auto e = expect_throw<HostError>([&] { local_host()->run({.argv = {"pwd"}, .cwd = dir / "nope"}); });
  EXPECT_THAT(e.attempted(), HasSubstr("nope"));
}

TEST(Run, LinesAsTheyComeAndTheTextToo) {
  std::vector<std::string> out, err;
  const auto r = sh("printf 'one\\n\\nthree'; printf 'e1\\ne2\\n' >&2",
                    {.on_out_line = [&](std::string_view l) { out.emplace_back(l); },
                     .on_err_line = [&](std::string_view l) { err.emplace_back(l); }});
  EXPECT_THAT(out, ElementsAre("one", "", "three"));
  EXPECT_THAT(err, ElementsAre("e1", "e2"));
  EXPECT_EQ(r.out, "one\n\nthree");
}

TEST(Run, LinesCutByReadsAreWhole) {
  std::size_t count = 0, wrong = 0;
  sh("seq 1 200000", {.on_out_line = [&](std::string_view l) { wrong += l != std::to_string(++count); }});
  EXPECT_EQ(count, 200000u);
  EXPECT_EQ(wrong, 0u);
}

TEST(Run, LineWithoutEndComesInPieces) {
  std::size_t bytes = 0, calls = 0;
  sh("head -c 5000000 /dev/zero", {.on_out_line = [&](std::string_view l) { bytes += l.size(), ++calls; }});
  EXPECT_EQ(bytes, 5000000u);
  EXPECT_GT(calls, 1u);
}

TEST(Run, CallbacksRunOnTheCallingThread) {
  std::thread::id id;
  sh("echo x", {.on_out_line = [&](std::string_view) { id = std::this_thread::get_id(); }});
  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(Run, CaptureLimitKeepsTheLogWhole) {
  const TempDir dir;
  const auto r = sh("seq 1 10000; echo e >&2", {.log = dir / "log", .capture_limit = 100});
  EXPECT_EQ(r.out.size(), 100u);
  EXPECT_THAT(r.out, StartsWith("1\n2\n"));
  EXPECT_EQ(r.err, "e\n");
  EXPECT_TRUE(r.truncated);
  const std::string log = TempDir::read(dir / "log");
  EXPECT_THAT(log, HasSubstr("\n10000\n"));
  EXPECT_THAT(log, HasSubstr("e\n"));
}

TEST(Run, LogIsAppended) {
  const TempDir dir;
  sh("echo a", {.log = dir / "log"});
  sh("echo b", {.log = dir / "log"});
  EXPECT_EQ(TempDir::read(dir / "log"), "a\nb\n");
}

TEST(Run, LogThatCannotBeWritten) {
  const TempDir dir;
  EXPECT_THROW(sh("true", {.log = dir / "nope" / "log"}), HostError);
  const Mark mark;
  const auto e = expect_throw<HostError>([&] {
    local_host()->run(mark.command({"sh", "-c", "echo x; sleep 1000"}), {.log = "/dev/full"});
  });
  EXPECT_THAT(e.reason(), HasSubstr("No space left"));
  EXPECT_NE(e.hint(), "");
  EXPECT_THAT(mark.left(), ElementsAre());
}

TEST(Run, ProgramsThatCannotBeStarted) {
  const TempDir dir;
  const auto start = [&](std::string program) {
    return expect_throw<HostError>([&] { local_host()->run({.argv = {program}}); });
  };
  auto e = start("kdev-no-such-program");
  EXPECT_THAT(e.reason(), HasSubstr("not found in PATH"));
  EXPECT_THAT(e.hint(), HasSubstr("install kdev-no-such-program"));
  EXPECT_THAT(start("/nope/x").reason(), HasSubstr("not found"));
  e = start(dir.write("plain", "#!/bin/sh\n", 0644).string());
  EXPECT_THAT(e.reason(), HasSubstr("not executable"));
  EXPECT_THAT(e.hint(), HasSubstr("chmod +x"));
  EXPECT_THAT(start(dir.path().string()).reason(), HasSubstr("directory"));
  EXPECT_THAT(start(dir.write("noise", "\x01\x02\x03", 0755).string()).reason(), HasSubstr("not a program"));
  EXPECT_THAT(start(dir.write("script", "#!/nope/interpreter\n", 0755).string()).reason(),
              HasSubstr("interpreter"));
  EXPECT_THROW(local_host()->run({}), HostError);
  EXPECT_THROW(local_host()->run({.argv = {""}}), HostError);
  EXPECT_THROW(local_host()->run({.argv = {"echo", std::string("a\0b", 3)}}), HostError);
  EXPECT_THROW(local_host()->run({.argv = {"env"}, .env = {{"A=B", "c"}}}), HostError);
  EXPECT_THROW(local_host()->run({.argv = {"echo", std::string(4u << 20, 'x')}}), HostError);
}

TEST(Run, PathOfTheCommandIsSearched) {
  const TempDir dir;
  dir.write("kdev-own-tool", "#!/bin/sh\necho mine\n", 0755);
  EXPECT_EQ(
      local_host()->run({.argv = {"kdev-own-tool"}, .env = {{"PATH", dir.path().string() + ":/bin"}}}).out,
      "mine\n");
}

TEST(Run, ChildSeesNoForeignDescriptorsOrSignals) {
  const int open_fd = ::open("/dev/zero", O_RDONLY);  // not close-on-exec, on purpose
  const int high = ::fcntl(open_fd, F_DUPFD, 77);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set, before;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  const auto fds = sh("ls /proc/$$/fd");
  const auto signals = local_host()->run({.argv = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::close(open_fd);
  ::close(high);
  EXPECT_EQ(fds.out, "0\n1\n2\n");
  EXPECT_EQ(signals.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Run, FromManyThreadsAtOnce) {
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([t, &right] {
      for (int i = 0; i < 15; ++i) {
        const std::string text = fmt::format("{}-{}", t, i);
        const auto r = local_host()->run({.argv = {"cat"}, .input = text});
        right += r.ok() && r.out == text && r.err.empty();
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(right, 8 * 15);
}

TEST(Run, JustWrittenProgramsFromManyThreads) {
  // Without care execve says ETXTBSY now and then: another thread's child holds the file that was being
  // written.
  const TempDir dir;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &dir, &right] {
      for (int i = 0; i < 15; ++i) {
        const Path tool = dir.write(fmt::format("t{}-{}", t, i), "#!/bin/sh\necho hi\n", 0755);
        right += local_host()->run({.argv = {tool.string()}}).out == "hi\n";
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(right, 4 * 15);
}

TEST(Check, PassesResultsAndExplainsFailures) {
  EXPECT_EQ(local_host()->check("say hello", {.argv = {"echo", "hello"}}).out, "hello\n");
  const auto e = expect_throw<HostError>([&] {
    local_host()->check("make a disk", {.argv = {"sh", "-c", "seq 1 500 >&2; echo the reason >&2; exit 3"}});
  });
  EXPECT_EQ(e.attempted(), "make a disk");
  EXPECT_THAT(e.reason(), HasSubstr("exit code 3"));
  EXPECT_THAT(e.reason(), HasSubstr("the reason"));
  EXPECT_THAT(e.reason(), HasSubstr("\n500\n"));
  EXPECT_THAT(e.reason(), Not(HasSubstr("\n400\n")));
  EXPECT_THAT(expect_throw<HostError>([&] {
                local_host()->check("x", {.argv = {"sh", "-c", "kill -TERM $$"}});
              }).reason(),
              HasSubstr("signal 15 (SIGTERM)"));
}

TEST(Describe, StatusAndCommand) {
  EXPECT_EQ(describe(ExitStatus{.code = 2, .signal = {}}), "exit code 2");
  EXPECT_EQ(describe(ExitStatus{.code = {}, .signal = 9}), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(describe(Command{.argv = {"make", "-j2", "a b", "", "it's"}}), "make -j2 'a b' '' 'it'\\''s'");
  const Command command{.argv = {"x"}, .cwd = Path("/a b"), .env = {{"A", "1 2"}}, .unset_env = {"B"}};
  EXPECT_EQ(describe(command), "(cd '/a b' && env -u B A='1 2' x)");
}

}  // namespace
}  // namespace kdev
