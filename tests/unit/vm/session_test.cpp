#include "vm/session.hpp"

#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <boost/filesystem/operations.hpp>
#include <cstring>
#include <kdev/error.hpp>
#include <thread>

#include "fakes/fake_machine.hpp"
#include "fakes/fake_rules.hpp"

using namespace kdev;
using hypervisor::MachineEvent;

namespace {

std::string frame(std::uint32_t type, std::uint32_t id, std::string_view payload = {}) {
  const kdev_frame head{KDEV_FRAME_MAGIC, static_cast<std::uint32_t>(payload.size()), type, id};
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + std::string(payload);
}

template <class T>
std::string bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

struct SessionTest : ::testing::Test {
  Path dir = boost::filesystem::temp_directory_path() / boost::filesystem::unique_path("kdev-test-%%%%%%%%");
  fakes::FakeRules rules;
  fakes::FakeStreams guest;
  fakes::FakeMachine* machine = nullptr;
  std::shared_ptr<vm::ConsoleLog> console;
  std::vector<Event> seen;
  std::shared_ptr<vm::EventQueue> events =
      std::make_shared<vm::EventQueue>([this](const Event& e) { seen.push_back(e); });
  std::unique_ptr<vm::Session> session;

  SessionTest() {
    boost::filesystem::create_directories(dir);
    console = std::make_shared<vm::ConsoleLog>(dir / "console.log");
    auto owned = std::make_unique<fakes::FakeMachine>(guest);
    machine = owned.get();
    session = std::make_unique<vm::Session>("vm0", std::move(owned), console, &rules, Seconds(5), events);
  }
  ~SessionTest() override {
    session.reset();
    boost::filesystem::remove_all(dir);
  }
  void print(std::string_view text) {
    ASSERT_EQ(::write(guest.console.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void answer(const std::string& data) {
    ASSERT_EQ(::write(guest.agent.get(), data.data(), data.size()), static_cast<ssize_t>(data.size()));
  }
  std::string take(std::size_t n) {
    std::string data(n, '\0');
    std::size_t done = 0;
    while (done < n) {
      ssize_t got = ::read(guest.agent.get(), data.data() + done, n - done);
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    data.resize(done);
    return data;
  }
  Deadline soon() { return Deadline::after(Seconds(10)); }
};

TEST_F(SessionTest, ConsoleIsDrainedWithoutAnybodyWaiting) {
  const std::string block(100'000, 'z');
  for (int i = 0; i < 20; ++i) print(block);
  session->wait(soon(), "console", [&] { return console->size() == 2'000'000; });
}

TEST_F(SessionTest, EventsAreDeliveredOnTheWaitingThread) {
  print("one\r\ntwo\n");
  session->wait(soon(), "console", [&] { return console->size() == 9; });
  events->deliver();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(std::get<ConsoleLine>(seen[0]), (ConsoleLine{"vm0", "one"}));
  EXPECT_EQ(std::get<ConsoleLine>(seen[1]), (ConsoleLine{"vm0", "two"}));
}

TEST_F(SessionTest, HelloFactsAreRead) {
  session->agent().send(KDEV_HELLO, 0, "x");
  EXPECT_EQ(take(17), frame(KDEV_HELLO, 0, "x"));
  answer(frame(KDEV_HELLO, 0, bytes(std::uint32_t{1}) + std::string("release=6.1\0build_id=ab\0", 24)));
  vm::AgentHello hello;
  session->wait(soon(), "hello", [&] {
    if (!session->agent().hello_locked()) return false;
    hello = *session->agent().hello_locked();
    return true;
  });
  EXPECT_EQ(hello.version, 1u);
  EXPECT_EQ(hello.facts["release"], "6.1");
  EXPECT_EQ(hello.facts["build_id"], "ab");
}

/// A terminal echoes what was said before its agent had it raw, and loses some of it: the host says it again.
TEST_F(SessionTest, AGreetingThatGotLostIsRepeated) {
  session->agent().send(KDEV_HELLO, 0, "x");
  EXPECT_EQ(take(17), frame(KDEV_HELLO, 0, "x"));
  answer("KDV1\x08 \x08^@^@^@^A^@^@^@" + frame(KDEV_READY, 0));
  EXPECT_EQ(take(17), frame(KDEV_HELLO, 0, "x"));
  const std::string protocol_error = frame(KDEV_ERROR, 0, bytes(std::uint32_t{92}) + "wrong magic");
  answer(protocol_error + frame(KDEV_HELLO, 0, bytes(std::uint32_t{1}) + std::string("pid=1\0", 6)));
  session->wait(soon(), "hello", [&] { return session->agent().hello_locked().has_value(); });
  session->agent().ping();
  EXPECT_EQ(take(16), frame(KDEV_PING, 0)) << "the channel works on";
}

TEST_F(SessionTest, NoMoreIsSentAheadThanThePortHolds) {
  session->agent().send(KDEV_HELLO, 0, "x");
  take(17);
  answer(frame(KDEV_HELLO, 0, bytes(std::uint32_t{1}) + std::string("window=100\0", 11)));
  session->wait(soon(), "hello", [&] { return session->agent().hello_locked().has_value(); });
  const std::string payload(500, 'p');
  session->agent().send(KDEV_STDIN, 1, payload);
  std::string sent = take(100);
  // What the host sends next stands behind it, and the guest has taken nothing yet.
  session->agent().ping();
  auto unread = [&] {
    int n = 0;
    ::ioctl(guest.agent.get(), FIONREAD, &n);
    return n;
  };
  EXPECT_EQ(unread(), 0);
  answer(frame(KDEV_ACK, 0, bytes(std::uint32_t{60})));
  sent += take(60);
  session->wait(soon(), "the channel to be idle", [&] { return !session->agent().pending_locked(); });
  EXPECT_EQ(unread(), 0);
  answer(frame(KDEV_ACK, 0, bytes(std::uint32_t{1000})));
  sent += take(16 + 500 + 16 - 160);
  EXPECT_EQ(sent, frame(KDEV_STDIN, 1, payload) + frame(KDEV_PING, 0));
}

TEST_F(SessionTest, OutputBeyondTheLimitIsCountedAndDropped) {
  auto exchange = session->agent().open(4);
  answer(frame(KDEV_OUT, exchange->id, "abc") + frame(KDEV_OUT, exchange->id, "defg") +
         frame(KDEV_EXIT, exchange->id, bytes(kdev_exit{KDEV_EXITED, 3, 5})));
  session->wait(soon(), "exit", [&] { return exchange->exit.has_value(); });
  EXPECT_EQ(exchange->out.kept, "abcd");
  EXPECT_EQ(exchange->out.bytes, 7u);
  EXPECT_EQ(exchange->exit->value, 3u);
}

TEST_F(SessionTest, FramesInAnyPiecesAndForStrangersAreFine) {
  auto exchange = session->agent().open(100);
  const std::string all = frame(KDEV_OUT, 999, "nobody's") + frame(12345, exchange->id, "unknown") +
                          frame(KDEV_ERR, exchange->id, "e") + frame(KDEV_DONE, exchange->id);
  for (char c : all) answer(std::string(1, c));
  session->wait(soon(), "done", [&] { return exchange->done; });
  EXPECT_EQ(exchange->err.kept, "e");
}

TEST(Stream, AReaderThatKeepsUpMissesNothing) {
  vm::Stream stream{.limit = 8, .kept = {}};
  std::string read;
  for (int i = 0; i < 100; ++i) {
    stream.add("abcde");
    read += stream.take();
    EXPECT_LE(stream.kept.size(), 8u);
  }
  EXPECT_EQ(read.size(), 500u);
  EXPECT_EQ(stream.bytes, 500u);
}

TEST(Stream, WhatWasReadStaysWhileAllOfItFits) {
  vm::Stream stream{.limit = 8, .kept = {}};
  stream.add("abc");
  EXPECT_EQ(stream.take(), "abc");
  stream.add("def");
  EXPECT_EQ(stream.kept, "abcdef");
  EXPECT_EQ(stream.take(), "def");
  EXPECT_EQ(stream.take(), "");
  stream.add("ghijklmnopq");
  EXPECT_EQ(stream.take(), "ghijklmn");
}

TEST_F(SessionTest, GarbageEndsTheChannelNotTheProgram) {
  for (int i = 0; i < 200; ++i) answer("this is no frame of ours, is it?");
  session->wait(soon(), "break", [&] { return session->agent().broken_locked(); });
}

TEST_F(SessionTest, GarbageAfterTheGreetingEndsTheChannelAtOnce) {
  answer(frame(KDEV_HELLO, 0, bytes(std::uint32_t{1})) + "this is no frame of ours");
  session->wait(soon(), "break", [&] { return session->agent().broken_locked(); });
}

TEST_F(SessionTest, AnAgentThatIsOutOfStepBreaksTheChannel) {
  const std::uint32_t number = 71;
  answer(frame(KDEV_HELLO, 0, bytes(std::uint32_t{1})) + frame(KDEV_ERROR, 0, bytes(number) + "wrong magic"));
  session->wait(soon(), "break", [&] { return session->agent().broken_locked(); });
}

TEST_F(SessionTest, AChannelThatClosesWhileTheMachineRunsIsBroken) {
  guest.agent.reset();
  session->wait(soon(), "break", [&] { return session->agent().broken_locked(); });
  EXPECT_FALSE(session->status().gone);
}

TEST_F(SessionTest, AMachineThatEndsBreaksNoChannel) {
  guest.agent.reset();
  guest.console.reset();
  machine->raise({MachineEvent::Kind::gone, "it ended"});
  session->wait(soon(), "end", [&] { return session->status_locked().gone; });
  session->locked([&] { EXPECT_FALSE(session->agent().broken_locked()); });
}

TEST_F(SessionTest, EachPingIsAnswered) {
  const std::uint64_t first = session->agent().ping(), second = session->agent().ping();
  take(2 * sizeof(kdev_frame));
  answer(frame(KDEV_PONG, 0));
  session->wait(soon(), "first", [&] { return session->agent().pongs_locked() >= first; });
  session->locked([&] { EXPECT_LT(session->agent().pongs_locked(), second); });
  answer(frame(KDEV_PONG, 0));
  // Both callers look only now.
  session->wait(soon(), "second", [&] { return session->agent().pongs_locked() >= second; });
  session->wait(soon(), "first again", [&] { return session->agent().pongs_locked() >= first; });
}

TEST_F(SessionTest, ALogThatCannotBeWrittenIsToldOnce) {
  if (!boost::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  auto full = std::make_shared<vm::ConsoleLog>("/dev/full");
  std::vector<std::string> notices;
  auto queue = std::make_shared<vm::EventQueue>([&](const Event& e) {
    if (const auto* notice = std::get_if<Notice>(&e)) notices.push_back(notice->text);
  });
  fakes::FakeStreams other;
  vm::Session second("vm1", std::make_unique<fakes::FakeMachine>(other), full, &rules, Seconds(5), queue);
  for (std::size_t size : {4u, 8u}) {
    ASSERT_EQ(::write(other.console.get(), "one\n", 4), 4);
    second.wait(soon(), "console", [&] { return full->size() == size; });
  }
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("vm1: the console's log is incomplete"), std::string::npos) << notices[0];
}

TEST_F(SessionTest, WhatTheConsoleShowedBeforeAnAnswerIsThereWithIt) {
  for (int i = 0; i < 200; ++i) {
    auto exchange = session->agent().open(10);
    const std::size_t before = console->size();
    print("line\n");
    answer(frame(KDEV_DONE, exchange->id));
    std::size_t size = 0;
    session->wait(soon(), "done", [&] {
      size = console->size();
      return exchange->done;
    });
    ASSERT_EQ(size, before + 5);
  }
}

TEST_F(SessionTest, ACrashBecomesAnEpisode) {
  print("fine\nBUG: here\nend trace\n");
  session->wait(soon(), "episode", [&] { return !session->status_locked().episodes.empty(); });
  EXPECT_EQ(session->status().episodes[0], (vm::CrashEpisode{5, 25, false}));
  EXPECT_FALSE(session->status().panicked);
}

TEST_F(SessionTest, ThePanicDeviceAloneIsACrash) {
  machine->raise({MachineEvent::Kind::panicked, "panic device"});
  session->wait(soon(), "episode", [&] { return !session->status_locked().episodes.empty(); });
  EXPECT_TRUE(session->status().panicked);
}

TEST_F(SessionTest, AQueueThatTheGuestDoesNotReadIsSentInTheEnd) {
  const std::string payload(KDEV_MAX_PAYLOAD, 'p');
  for (int i = 0; i < 8; ++i) session->agent().send(KDEV_DATA, 7, payload);
  std::size_t expected = 8 * (payload.size() + sizeof(kdev_frame));
  EXPECT_EQ(take(expected).size(), expected);
}

TEST_F(SessionTest, WaitingEndsWithTheDeadlineAndWithTheStopToken) {
  EXPECT_THROW(session->wait(Deadline::after(Seconds(0.05)), "nothing", [] { return false; }), TimeoutError);
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  EXPECT_THROW(session->wait(Deadline::never(source.get_token()), "nothing", [] { return false; }),
               Interrupted);
}

TEST_F(SessionTest, ASinkThatThrowsReachesTheWaiter) {
  auto angry = std::make_shared<vm::EventQueue>([](const Event&) { throw std::runtime_error("sink"); });
  fakes::FakeStreams other;
  vm::Session second("vm1", std::make_unique<fakes::FakeMachine>(other), console, &rules, Seconds(5), angry);
  ASSERT_EQ(::write(other.console.get(), "x\n", 2), 2);
  EXPECT_THROW(second.wait(soon(), "sink", [] { return false; }), std::runtime_error);
}

TEST_F(SessionTest, ManyThreadsSendAndWait) {
  std::vector<std::jthread> threads;
  std::jthread echo([&] {
    // Answers each frame with DONE, as an agent would.
    for (int i = 0; i < 400; ++i) {
      kdev_frame head;
      const std::string raw = take(sizeof head);
      if (raw.size() < sizeof head) return;
      std::memcpy(&head, raw.data(), sizeof head);
      take(head.length);
      const std::string done = frame(KDEV_DONE, head.id);
      if (::write(guest.agent.get(), done.data(), done.size()) < 0) return;
    }
  });
  std::atomic<int> finished{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        auto exchange = session->agent().open(10);
        session->agent().send(KDEV_MKDIR, exchange->id, "payload");
        session->wait(soon(), "done", [&] { return exchange->done; });
        session->agent().forget(exchange->id);
        ++finished;
      }
    });
  threads.clear();
  EXPECT_EQ(finished, 400);
}

TEST_F(SessionTest, CloseIsIdempotent) {
  session->close(Seconds(1));
  session->close(Seconds(1));
  EXPECT_EQ(machine->closes, 1);
  EXPECT_TRUE(session->status().gone);
}

}  // namespace
