// Commands in a real guest.
#include <signal.h>

#include <thread>

#include "fixture.hpp"

using namespace kdev;
using kdev::test::BootTest;

namespace {

struct Run : BootTest {};

TEST_F(Run, StreamsAndCodesAreKeptApart) {
  VM vm = boot();
  EXPECT_EQ(vm.state(), VmState::ready);
  CommandResult r = vm.run("echo out; echo err >&2; exit 3");
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_FALSE(r.signal);
  EXPECT_FALSE(r.crash);
  r = vm.run("kill -TERM $$");
  EXPECT_EQ(r.signal, SIGTERM);
  EXPECT_FALSE(r.exit_code);
  r = vm.run({"/bin/echo", "a b", "$HOME", ""});
  EXPECT_EQ(r.out, "a b $HOME \n") << "no shell in between";
  EXPECT_EQ(vm.run("uname -r").out, test::test_kernel().release + "\n");
}

TEST_F(Run, KernelMessagesDoNotCorruptAResult) {
  VM vm = boot();
  const CommandResult r =
      vm.run("for i in $(seq 200); do echo line $i; echo \"<1>kernel message $i\" > /dev/kmsg; done");
  std::string expected;
  for (int i = 1; i <= 200; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(r.out, expected);
  EXPECT_NE(r.console.find("kernel message 200"), std::string::npos) << "and the console is there beside it";
}

TEST_F(Run, InputEnvironmentAndFolder) {
  VM vm = boot();
  std::string input(300'000, '\0');
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<char>(i * 31 >> 3);
  CommandResult r = vm.run("cat", {.input = input});
  EXPECT_EQ(r.out, input) << "binary, and more than any pipe holds";
  r = vm.run("echo $GREETING; pwd", {.env = {{"GREETING", "hello there"}}, .cwd = "/proc"});
  EXPECT_EQ(r.out, "hello there\n/proc\n");
  EXPECT_EQ(vm.run("head -c 5", {.input = input}).out, input.substr(0, 5))
      << "a command that does not read it all";
}

TEST_F(Run, AHundredMegabytesArriveWhole) {
  VM vm = boot();
  const CommandResult r = vm.run("head -c 104857600 /dev/zero", {.timeout = Seconds(300)});
  EXPECT_EQ(r.out.size(), 104857600u);
  EXPECT_FALSE(r.truncated);
  EXPECT_EQ(r.exit_code, 0);
  const CommandResult cut = vm.run("head -c 1000000 /dev/zero", {.output_limit = 1000});
  EXPECT_EQ(cut.out.size(), 1000u);
  EXPECT_EQ(cut.out_bytes, 1000000u);
  EXPECT_TRUE(cut.truncated);
}

TEST_F(Run, ACommandThatNeverEndsIsKilledAndTheGuestLivesOn) {
  VM vm = boot();
  const CommandResult r = vm.run("echo begun; sleep 1000 & sleep 1000", {.timeout = Seconds(1)});
  EXPECT_TRUE(r.timed_out);
  EXPECT_EQ(r.out, "begun\n");
  EXPECT_EQ(r.signal, SIGKILL);
  EXPECT_EQ(vm.state(), VmState::ready);
  EXPECT_EQ(vm.run("pidof sleep").out, "") << "its whole group is gone";
}

TEST_F(Run, AFailedCheckIsAnError) {
  VM vm = boot();
  EXPECT_THROW(vm.run("exit 1", {.check = true}), GuestError);
  EXPECT_THROW(vm.run(std::vector<std::string>{"/no/such/program"}), GuestError);
  EXPECT_THROW(vm.run(std::vector<std::string>{}), GuestError);
}

TEST_F(Run, SeveralAtOnce) {
  VM vm = boot();
  std::vector<std::jthread> threads;
  std::array<std::string, 6> outputs;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] { outputs[i] = vm.run("sleep 0.3; echo " + std::to_string(i)).out; });
  threads.clear();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
}

TEST_F(Run, JobsTalkWhileTheyRun) {
  VM vm = boot();
  Job job = vm.spawn("while read x; do echo got $x; done; echo bye");
  job.write("one\n");
  std::string out;
  while (out.find('\n') == std::string::npos) out += job.read_out();
  EXPECT_EQ(out, "got one\n");
  EXPECT_TRUE(job.running());
  job.write("two\n");
  job.close_input();
  const CommandResult r = job.wait();
  EXPECT_EQ(r.out, "got one\ngot two\nbye\n");
  Job endless = vm.spawn("sleep 1000");
  endless.signal(SIGUSR1);
  EXPECT_EQ(endless.wait().signal, SIGUSR1);
  { Job dropped = vm.spawn("sleep 777"); }
  EXPECT_EQ(vm.run("sleep 0.2; ps | grep -c 'sleep 77[7]'").out, "0\n") << "destroying a job kills it";
}

TEST_F(Run, FilesGoBothWays) {
  VM vm = boot();
  const Path dir = run_dir / "logs" / "files";
  boost::filesystem::create_directories(dir / "tree" / "sub");
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 >> 2);
  local_host()->write_file(dir / "tree" / "a.bin", content);
  local_host()->write_file(dir / "tree" / "sub" / "b", "b\n");
  boost::filesystem::permissions(dir / "tree" / "a.bin", boost::filesystem::perms(0755));
  vm.push(dir / "tree", "/tmp/tree");
  EXPECT_EQ(vm.run("stat -c %a /tmp/tree/a.bin; cat /tmp/tree/sub/b").out, "755\nb\n");
  vm.pull("/tmp/tree", dir / "back");
  EXPECT_EQ(local_host()->read_file(dir / "back" / "a.bin"), content);
  EXPECT_EQ(local_host()->read_file(dir / "back" / "sub" / "b"), "b\n");
  EXPECT_EQ(vm.read_file("/proc/sys/kernel/ostype"), "Linux\n") << "a file that says it has no bytes";
  vm.write_file("/tmp/w", "text", 0600);
  EXPECT_EQ(vm.run("cat /tmp/w; stat -c %a /tmp/w").out, "text600\n");
  EXPECT_THROW(vm.pull("/no/such/file", dir / "x"), GuestError);
  EXPECT_FALSE(boost::filesystem::exists(dir / "x"));
  EXPECT_THROW(vm.push("/no/such/file", "/tmp/x"), HostError);
  EXPECT_THROW(vm.write_file("/proc/nowhere", "x"), GuestError);
}

TEST_F(Run, PullingAFolderTakesFilesAndKeepsOutOfLoops) {
  std::vector<std::string> notices;
  VM vm(spec(), [&](const Event& e) {
    if (const auto* notice = std::get_if<Notice>(&e)) notices.push_back(notice->text);
  });
  vm.start();
  vm.run(
      "mkdir -p /t/sub; cd /t; echo a > sub/a; ln -s . loop; ln -s sub/a link; ln -s /proc proc; ln -s "
      "nowhere dangling; "
      "mkfifo pipe; chmod 750 sub; chmod 711 .",
      {.check = true});
  const Path to = run_dir / "logs" / "t";
  vm.pull("/t", to);
  std::vector<std::string> names;
  for (const auto& entry : boost::filesystem::recursive_directory_iterator(to))
    names.push_back(boost::filesystem::relative(entry.path(), to).string());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("sub", "sub/a", "link"));
  EXPECT_EQ(local_host()->read_file(to / "link"), "a\n");
  EXPECT_EQ(boost::filesystem::status(to).permissions(), 0711);
  EXPECT_EQ(boost::filesystem::status(to / "sub").permissions(), 0750);
  for (const char* left_out : {"/t/loop ", "/t/proc ", "/t/dangling ", "/t/pipe "})
    EXPECT_THAT(notices, ::testing::Contains(::testing::StartsWith(std::string(left_out) + "is left out")))
        << left_out;
  vm.push(to, "/back");
  EXPECT_EQ(vm.run("stat -c %a /back /back/sub").out, "711\n750\n");
}

TEST_F(Run, AFullGuestDiskIsAnErrorThatLeavesNothing) {
  VM vm = boot();
  vm.run("mkdir /small; mount -t tmpfs -o size=1m none /small", {.check = true});
  EXPECT_THROW(vm.write_file("/small/big", std::string(4'000'000, 'x')), GuestError);
  EXPECT_EQ(vm.run("ls -A /small").out, "");
}

TEST_F(Run, AStopTokenEndsAWaitAndTheCommand) {
  VM vm = boot();
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    source.request_stop();
  });
  EXPECT_THROW(vm.run("sleep 500", {.stop = source.get_token()}), Interrupted);
  EXPECT_EQ(vm.run("sleep 0.2; ps | grep -c 'sleep 50[0]'").out, "0\n");
  EXPECT_EQ(vm.state(), VmState::ready);
}

TEST_F(Run, TheConsoleCanBeWaitedFor) {
  VM vm = boot();
  Job job = vm.spawn("sleep 0.3; echo '<1>marker 42' > /dev/kmsg");
  EXPECT_THAT(vm.wait_console("marker \\d+", Seconds(20)), ::testing::HasSubstr("marker 42"));
  EXPECT_THROW(vm.wait_console("never", Seconds(0.2)), TimeoutError);
  EXPECT_THROW(vm.wait_console("(", Seconds(1)), ConfigError);
  job.wait();
}

}  // namespace
