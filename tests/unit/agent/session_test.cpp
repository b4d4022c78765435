// The session: greeting, order, and whatever a broken or hostile host may send.
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <random>

#include "unit/agent/agent_test.hpp"

namespace kdev::test {
namespace {

class AgentSession : public AgentTest {};
INSTANTIATE_TEST_SUITE_P(Programs, AgentSession, programs(), program_name);

int error_of(const Frame& f) {
  EXPECT_EQ(f.type, KDEV_ERROR);
  return static_cast<int>(read_as<std::uint32_t>(f.payload));
}

TEST_P(AgentSession, HelloTellsWhoAnswers) {
  const auto facts = agent.hello();
  struct utsname name;
  ::uname(&name);
  EXPECT_EQ(facts.at("release"), name.release);
  EXPECT_EQ(facts.at("machine"), name.machine);
  EXPECT_EQ(facts.at("pid"), std::to_string(agent.pid()));
  EXPECT_EQ(facts.at("boot_id").size(), 36u);
  EXPECT_GT(std::stoull(facts.at("uptime_ns")), 0u);
  // Not every kernel here has one; if it has, it is hexadecimal.
  EXPECT_EQ(facts.at("build_id").find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST_P(AgentSession, PingComesBack) {
  agent.hello();
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{KDEV_MAX_PAYLOAD}}) {
    agent.send(KDEV_PING, 3, std::string(size, 'p'));
    const Frame f = agent.receive();
    EXPECT_EQ(f.type, KDEV_PONG);
    EXPECT_EQ(f.id, 3u);
    EXPECT_EQ(f.payload.size(), size);
  }
}

/// As on a port that drops what it has no room for: the host hears when the port is open, and how much of
/// what it sent was taken.
TEST_P(AgentSession, AWindowIsToldAndOpenedAgain) {
  AgentClient lossy(GetParam(), {"--window", "4000"});
  EXPECT_EQ(lossy.receive().type, KDEV_READY);
  EXPECT_EQ(lossy.hello().at("window"), "4000");
  std::uint32_t acknowledged = 0, pongs = 0;
  for (std::uint32_t sent = 0; sent < 40; ++sent) {
    lossy.send(KDEV_PING, 1, std::string(984, 'p'));  // 1000 with its header
    while (pongs <= sent || acknowledged < pongs * 1000) {
      const Frame f = lossy.receive();
      if (f.type == KDEV_PONG)
        ++pongs;
      else if (f.type == KDEV_ACK)
        acknowledged += read_as<std::uint32_t>(f.payload);
      else
        FAIL() << "frame type " << f.type;
    }
  }
  EXPECT_EQ(acknowledged, 40'000u);
  EXPECT_EQ(lossy.close_and_wait(), 0);
  EXPECT_EQ(agent.hello().count("window"), 0u) << "a socket loses nothing";
}

TEST_P(AgentSession, ManyBigPingsWithoutReading) {
  agent.hello();
  for (int i = 0; i < 3; ++i) agent.send(KDEV_PING, 10 + i, std::string(KDEV_MAX_PAYLOAD, 'p'));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(agent.receive().id, 10u + static_cast<unsigned>(i));
}

TEST_P(AgentSession, AHostThatNeverReadsAndGoesAwayEndsTheAgent) {
  agent.hello();
  // The socket, then the output queue fill up; then input waits. 16 MiB are more than all of them hold.
  std::string ping = bytes_of(kdev_frame{KDEV_FRAME_MAGIC, KDEV_MAX_PAYLOAD, KDEV_PING, 1}) +
                     std::string(KDEV_MAX_PAYLOAD, 'p');
  for (int i = 0; i < 64 && agent.send_some(ping); ++i) {
  }
  EXPECT_EQ(agent.close_and_wait(), 0);
}

TEST_P(AgentSession, BytesMayComeOneByOne) {
  const std::uint32_t request[2] = {KDEV_PROTOCOL_VERSION, 0};
  const kdev_frame header{KDEV_FRAME_MAGIC, 8, KDEV_HELLO, 0};
  for (const char c : bytes_of(header) + bytes_of(request)) agent.send_raw({&c, 1});
  EXPECT_EQ(agent.receive().type, KDEV_HELLO);
}

TEST_P(AgentSession, BeforeHelloNothingIsDone) {
  agent.send(KDEV_EXEC, 1, exec_payload({.argv = {"touch", dir + "/made"}, .env = {}, .cwd = {}}));
  EXPECT_EQ(error_of(agent.receive()), EPROTO);
  agent.hello();
  agent.shell("true");
  EXPECT_TRUE(files().empty());
}

TEST_P(AgentSession, AWrongMagicEndsTheSessionUntilTheNextHello) {
  agent.hello();
  agent.send_raw("GET / HTTP/1.0\r\n\r\n");
  const Frame f = agent.receive();
  EXPECT_EQ(error_of(f), EPROTO);
  EXPECT_EQ(f.id, 0u);
  agent.send(KDEV_PING, 4, "unheard");
  agent.hello();
  agent.send(KDEV_PING, 5, "heard");
  EXPECT_EQ(agent.receive().payload, "heard");
}

TEST_P(AgentSession, AHostThatDiedInMidFrameIsFollowedByAnother) {
  agent.hello();
  const kdev_frame header{KDEV_FRAME_MAGIC, 1000, KDEV_DATA, 9};
  agent.send_raw(bytes_of(header) + "only a part");
  // The next host does not know. Its first HELLO may be taken for the rest of that frame; it asks again.
  const std::uint32_t request[2] = {KDEV_PROTOCOL_VERSION, KDEV_HELLO_RESET};
  bool answered = false;
  for (int i = 0; i < 100 && !answered; ++i) {
    agent.send(KDEV_HELLO, 0, bytes_of(request));
    while (!answered && agent.readable(2)) answered = agent.receive().type == KDEV_HELLO;
  }
  EXPECT_TRUE(answered);
}

TEST_P(AgentSession, AFrameTooLongEndsTheSession) {
  agent.hello();
  const kdev_frame header{KDEV_FRAME_MAGIC, KDEV_MAX_PAYLOAD + 1, KDEV_PING, 9};
  agent.send_raw(bytes_of(header));
  EXPECT_EQ(error_of(agent.receive()), EPROTO);
  agent.hello();
}

TEST_P(AgentSession, UnknownTypesAndIdZeroEndTheSession) {
  for (const std::uint32_t type : {0u, 99u, 0xffffffffu, std::uint32_t{KDEV_OUT}}) {
    agent.hello();
    agent.send(type, 5, "x");
    EXPECT_EQ(error_of(agent.receive()), EPROTO) << type;
  }
  agent.hello();
  agent.send(KDEV_EXEC, 0, exec_payload({.argv = {"true"}, .env = {}, .cwd = {}}));
  EXPECT_EQ(error_of(agent.receive()), EPROTO);
  agent.hello();
}

TEST_P(AgentSession, MalformedRequestsAreErrorsOfTheirOwn) {
  agent.hello();
  const std::string nul(1, '\0');
  const kdev_exec one{1, 0, 0, 0}, none{0, 0, 0, 0}, many{0xffffffffu, 0xffffffffu, 0, 0}, two{1, 1, 0, 0};
  for (const std::string& payload :
       {std::string(), std::string("abc"), bytes_of(one), bytes_of(none) + nul, bytes_of(one) + nul,
        bytes_of(one) + nul + "true", bytes_of(many) + nul + "true" + nul, bytes_of(two) + nul + "a" + nul,
        bytes_of(one) + nul + "a" + nul + "b" + nul, bytes_of(one) + nul + nul}) {
    agent.send(KDEV_EXEC, 5, payload);
    EXPECT_EQ(error_of(agent.receive()), EINVAL);
  }
  for (const std::uint32_t type : {KDEV_PUT, KDEV_GET, KDEV_LIST, KDEV_MKDIR, KDEV_SIGNAL}) {
    agent.send(type, 5, "");
    EXPECT_EQ(error_of(agent.receive()), EINVAL) << type;
    if (type == KDEV_SIGNAL) continue;
    agent.send(type, 5, std::string(16, 'x') + nul + "y");
    EXPECT_EQ(error_of(agent.receive()), EINVAL) << type;
    agent.send(type, 5, std::string(5000, '/'));
    EXPECT_EQ(error_of(agent.receive()), EINVAL) << type;
  }
  EXPECT_EQ(agent.shell("echo fine").out, "fine\n");
}

TEST_P(AgentSession, WhatIsLateForAnEndedIdIsIgnored) {
  agent.hello();
  const std::uint32_t sig = SIGKILL;
  agent.send(KDEV_SIGNAL, 77, bytes_of(sig));
  agent.send(KDEV_STDIN, 77, "x");
  agent.send(KDEV_STDIN_CLOSE, 77);
  agent.send(KDEV_DATA, 77, "x");
  agent.send(KDEV_DATA_END, 77);
  agent.send(KDEV_PING, 1, "");
  EXPECT_EQ(agent.receive().type, KDEV_PONG);
}

TEST_P(AgentSession, PowerIsNotForAnAgentThatDoesNotOwnTheMachine) {
  agent.hello();
  const std::uint32_t how = KDEV_POWER_OFF;
  agent.send(KDEV_POWER, 3, bytes_of(how));
  EXPECT_EQ(error_of(agent.receive()), EPERM);
}

TEST_P(AgentSession, NoiseDoesNoHarm) {
  std::mt19937 random(4711);
  for (int round = 0; round < 50; ++round) {
    agent.hello();
    // Frames that are right outside and wrong inside; never an EXEC that could start something.
    for (int i = 0; i < 20; ++i) {
      static constexpr std::uint32_t kTypes[] = {KDEV_PING, KDEV_STDIN,    KDEV_STDIN_CLOSE,
                                                 KDEV_DATA, KDEV_DATA_END, KDEV_EXEC,
                                                 KDEV_PUT,  KDEV_GET,      KDEV_LIST};
      std::string payload(random() % 200, '\0');
      for (char& c : payload) c = static_cast<char>(random());
      agent.send(kTypes[random() % std::size(kTypes)], random() % 4 + 1, payload);
    }
    std::string bytes(random() % 3000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    agent.send_raw(bytes);
    while (agent.readable(0)) agent.receive();
  }
  // Still in step, or back in it.
  const std::uint32_t request[2] = {KDEV_PROTOCOL_VERSION, KDEV_HELLO_RESET};
  bool answered = false;
  for (int i = 0; i < 20000 && !answered; ++i) {
    agent.send(KDEV_HELLO, 0, bytes_of(request));
    while (!answered && agent.readable(1)) answered = agent.receive().type == KDEV_HELLO;
  }
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace kdev::test
