#include "hypervisor/qemu/qmp.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kdev/error.hpp>
#include <thread>

using namespace kdev;
using hypervisor::Qmp;
using hypervisor::QmpEvent;

namespace {

struct QmpTest : ::testing::Test {
  UniqueFd peer;
  std::unique_ptr<Qmp> qmp;
  std::atomic<bool> stop{false};
  std::vector<QmpEvent> events;
  std::jthread reader;

  QmpTest() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
    peer = UniqueFd(fds[1]);
    qmp = std::make_unique<Qmp>(UniqueFd(fds[0]));
    reader = std::jthread([this](std::stop_token token) {
      while (!token.stop_requested()) {
        for (QmpEvent& e : qmp->read()) events.push_back(std::move(e));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  void stop_reader() {
    reader.request_stop();
    reader.join();
  }
  ~QmpTest() override {
    if (reader.joinable()) stop_reader();
  }
  std::string line() {
    std::string text;
    for (char c; ::read(peer.get(), &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
  void say(const std::string& text) {
    ASSERT_EQ(::write(peer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  Deadline soon() { return Deadline::after(Seconds(10)); }
};

TEST_F(QmpTest, EntersCommandModeAtOnce) {
  EXPECT_EQ(line(), R"({"execute":"qmp_capabilities"})");
}

TEST_F(QmpTest, AnswersFindTheirCommandAmongEvents) {
  line();
  std::jthread server([this] {
    line();
    say("{\"QMP\": {}}\r\n{\"return\": {}}\r\n{\"event\": \"STOP\", \"data\": {}}\r\n{\"return\": "
        "{\"status\":");
    say(" \"running\"}, \"id\": 1}\r\n");
  });
  const json::value answer = qmp->execute("query-status", {}, soon());
  EXPECT_EQ(json::get_string(answer.as_object(), "status"), "running");
  stop_reader();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].name, "STOP");
}

TEST_F(QmpTest, ARefusalCarriesTheDescription) {
  line();
  std::jthread server([this] {
    line();
    say("{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": \"no such device\"}}\n");
  });
  try {
    qmp->execute("device_del", {{"id", "x"}}, soon());
    FAIL();
  } catch (const DebugError& e) {
    EXPECT_EQ(e.reason(), "no such device");
  }
}

TEST_F(QmpTest, AClosedPeerIsAHostErrorNotAHang) {
  line();
  std::jthread server([this] {
    line();
    peer.reset();
  });
  EXPECT_THROW(qmp->execute("query-status", {}, soon()), HostError);
  EXPECT_TRUE(qmp->closed());
}

TEST_F(QmpTest, SilenceIsATimeout) {
  EXPECT_THROW(qmp->execute("query-status", {}, Deadline::after(Seconds(0.05))), TimeoutError);
}

TEST_F(QmpTest, AnAnswerThatComesTooLateIsNotKept) {
  line();
  EXPECT_THROW(qmp->execute("slow", {}, Deadline::after(Seconds(0.05))), TimeoutError);
  line();
  EXPECT_EQ(qmp->waiting(), 0u);
  std::jthread server([this] {
    line();
    say("{\"id\": 1, \"return\": {}}\n{\"id\": 2, \"return\": {\"mine\": \"yes\"}}\n");
  });
  EXPECT_EQ(json::get_string(qmp->execute("next", {}, soon()).as_object(), "mine"), "yes");
  EXPECT_EQ(qmp->waiting(), 0u);
}

TEST_F(QmpTest, NoiseIsPassedOver) {
  line();
  std::jthread server([this] {
    line();
    say("garbage\n{\"event\": 5}\n[]\n{\"id\": \"text\"}\n{\"id\": 1, \"return\": {}}\n");
  });
  EXPECT_NO_THROW(qmp->execute("x", {}, soon()));
}

}  // namespace
