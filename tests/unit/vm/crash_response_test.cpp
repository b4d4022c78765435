// OnCrash, carried out by a session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/vm.hpp>

#include "fakes/fake_debugger.hpp"
#include "fakes/fake_machine.hpp"
#include "fakes/fake_rules.hpp"
#include "vm/session.hpp"

using namespace kdev;
using hypervisor::MachineEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

struct CrashResponseTest : ::testing::Test {
  Path dir = boost::filesystem::temp_directory_path() / boost::filesystem::unique_path("kdev-test-%%%%%%%%");
  fakes::FakeRules rules;
  fakes::FakeDebugger debugger;
  fakes::FakeStreams guest;
  fakes::FakeMachine* machine = nullptr;
  std::shared_ptr<vm::ConsoleLog> console;
  std::unique_ptr<vm::Session> session;

  void begin(OnCrash policy) {
    boost::filesystem::create_directories(dir);
    console = std::make_shared<vm::ConsoleLog>(dir / "console.log");
    auto owned = std::make_unique<fakes::FakeMachine>(guest);
    machine = owned.get();
    session = std::make_unique<vm::Session>("vm0", std::move(owned), console, &rules, Seconds(5),
                                            std::make_shared<vm::EventQueue>(EventSink()), &debugger,
                                            std::move(policy));
  }
  ~CrashResponseTest() override {
    session.reset();
    boost::filesystem::remove_all(dir);
  }
  void print(std::string_view text) {
    ASSERT_EQ(::write(guest.console.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  /// What is typed at the console next, a line or a key.
  std::string typed(std::size_t n) {
    std::string text(n, '\0');
    for (std::size_t done = 0; done < n;) {
      pollfd readable{guest.console.get(), POLLIN, 0};
      if (::poll(&readable, 1, 20'000) <= 0) return "nothing";
      const ssize_t got = ::read(guest.console.get(), text.data() + done, n - done);
      if (got <= 0) return "closed";
      done += static_cast<std::size_t>(got);
    }
    return text;
  }
  void expect(const std::string& line, std::string_view answer) {
    ASSERT_EQ(typed(line.size() + 1), line + "\n");
    print(line + "\r\n");
    print(answer);
  }
  vm::CrashEpisode episode() {
    session->wait(Deadline::after(Seconds(20)), "report",
                  [&] { return !session->status_locked().episodes.empty(); });
    return session->status().episodes.front();
  }
};

TEST_F(CrashResponseTest, QuestionsAreAskedAndTheirAnswersAreNoReport) {
  begin({.ask = {"bt", "regs"}});
  print("BUG: panic\r\ndbg> ");
  expect("lines 0", "dbg> ");
  expect("bt", "BUG in the answer\r\npanic: quoted\r\ndbg> ");
  EXPECT_TRUE(session->status().crash_open);
  EXPECT_THAT(session->status().episodes, IsEmpty()) << "not before all is said";
  expect("regs", "r0\r\ndbg> ");
  const vm::CrashEpisode e = episode();
  EXPECT_EQ(console->read(e.begin, e.end), "BUG: panic\r\ndbg> ");
  EXPECT_EQ(e.after, console->size());
  ASSERT_EQ(e.answers.size(), 2u);
  EXPECT_EQ(e.answers[0].text, "BUG in the answer\npanic: quoted\n");
  EXPECT_EQ(e.answers[1].command, "regs");
  EXPECT_EQ(session->status().episodes.size(), 1u);
  EXPECT_FALSE(session->status().crash_open);
}

TEST_F(CrashResponseTest, ADumpEndsTheMachine) {
  begin({.then = AfterCrash::dump});
  print("BUG: panic\r\ndbg> ");
  expect("lines 0", "dbg> ");
  expect("dump", "writing\r\ndumped\r\ndbg> ");
  const vm::CrashEpisode e = episode();
  EXPECT_EQ(e.dump, "dumped");
  EXPECT_THAT(e.answers, IsEmpty());
  session->close(Seconds(1));
  EXPECT_EQ(machine->quits, 1);
}

TEST_F(CrashResponseTest, AFailedDumpLeavesTheGuestToBeLookedAt) {
  begin({.then = AfterCrash::dump});
  print("BUG: panic\r\ndbg> ");
  expect("lines 0", "dbg> ");
  expect("dump", "dumped nothing\r\ndbg> ");
  EXPECT_THAT(episode().notes, ElementsAre("no dump was made: dumped nothing"));
  session->close(Seconds(1));
  EXPECT_EQ(machine->quits, 0);
}

TEST_F(CrashResponseTest, AKernelWithoutADebuggerIsNoted) {
  begin({.ask = {"bt"}, .answer_timeout = Seconds(0.5)});
  print("BUG: panic\r\n");
  EXPECT_THAT(episode().notes, ElementsAre(HasSubstr("no dbg prompt")));
}

TEST_F(CrashResponseTest, AMachineThatEndsInMidTalkEndsTheTalk) {
  begin({.ask = {"bt"}});
  print("BUG: panic\r\ndbg> ");
  ASSERT_EQ(typed(8), "lines 0\n");
  machine->raise({MachineEvent::Kind::gone, "killed"});
  EXPECT_THAT(episode().notes, ElementsAre("dbg: the machine ended"));
}

TEST_F(CrashResponseTest, AnUnattendedGuestIsWaitedForUntilItReboots) {
  begin({.then = AfterCrash::unattended});
  print("BUG: panic\r\n");
  session->wait(Deadline::after(Seconds(20)), "panic", [&] { return session->status_locked().panicked; });
  print("writing\r\n");
  print("dumped\r\n");
  session->wait(Deadline::after(Seconds(20)), "console", [&] { return console->size() == 29; });
  EXPECT_THAT(session->status().episodes, IsEmpty());
  machine->raise({MachineEvent::Kind::shutdown, "guest-reset"});
  EXPECT_EQ(episode().dump, "dumped");
  EXPECT_THAT(episode().notes, IsEmpty());
}

TEST_F(CrashResponseTest, AnUnattendedGuestThatDoesNotRebootIsNoted) {
  begin({.then = AfterCrash::unattended, .dump_timeout = Seconds(0.5)});
  print("BUG: panic\r\n");
  EXPECT_THAT(episode().notes, ElementsAre(HasSubstr("did not reboot")));
}

TEST_F(CrashResponseTest, ATalkOfOnesOwnAfterwards) {
  begin({});
  print("BUG: panic\r\ndbg> ");
  episode();
  const auto talk = session->talk({{"bt"}}, Seconds(5));
  ASSERT_TRUE(talk);
  EXPECT_FALSE(session->talk({{"bt"}}, Seconds(5))) << "one at a time";
  expect("bt", "one\r\ndbg> ");
  session->wait(Deadline::after(Seconds(20)), "talk", [&] { return talk->over(); });
  EXPECT_EQ(talk->answers()[0].text, "one\n");
  EXPECT_EQ(session->status().episodes.size(), 1u);
}

TEST_F(CrashResponseTest, WhatNobodyCanAnswerIsRefusedAtOnce) {
  VmSpec linux_guest;
  linux_guest.on_crash.ask = {"bt"};
  EXPECT_NO_THROW(VM{linux_guest});
  linux_guest.on_crash.then = AfterCrash::dump;
  EXPECT_THROW(VM{linux_guest}, ConfigError) << "kdb writes none";
  VmSpec freebsd;
  freebsd.kernel.os = Os::freebsd;
  freebsd.on_crash.ask = {"bt"};
  EXPECT_NO_THROW(VM{freebsd});
  freebsd.on_crash.then = AfterCrash::unattended;
  EXPECT_THROW(VM{freebsd}, ConfigError);
  freebsd.on_crash = {.ask = {"bt\nreset"}};
  EXPECT_THROW(VM{freebsd}, ConfigError);
}

}  // namespace
