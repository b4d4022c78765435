// The agent's channel over a console: packets among what a kernel prints, against the real agent on a
// terminal.
#include "vm/console_wire.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <kdev/seed_image.hpp>
#include <mutex>
#include <random>

#include "vm/agent_channel.hpp"

namespace kdev::vm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

// 'H' 0, and a 'D' 0 that carries "kdev"; the checks are zlib's.
constexpr std::string_view here = "\x1eKH0000*837efffb\n", data = "\x1eKD0000a2Rldg==*fda41cfd\n";

struct Wire {
  ConsoleWire wire;
  std::string payload;
  std::string feed(std::string_view bytes) { return wire.feed(bytes, Clock::now(), payload); }
};

TEST(ConsoleWire, TakesPacketsOutOfTheText) {
  Wire w;
  EXPECT_FALSE(w.wire.connected());
  EXPECT_EQ(w.feed("booting\n" + std::string(here) + "[    1.0] more\n"), "booting\n[    1.0] more\n");
  EXPECT_TRUE(w.wire.connected());
  EXPECT_EQ(w.feed(std::string(data) + "x"), "x");
  EXPECT_EQ(w.payload, "kdev");
  EXPECT_EQ(w.feed(data), "") << "what comes twice counts once";
  EXPECT_EQ(w.payload, "kdev");
  EXPECT_THAT(w.wire.next(Clock::now(), false), HasSubstr("KA0001*"));
}

TEST(ConsoleWire, APacketMayComeByteByByteAndWithCarriageReturns) {
  Wire w;
  std::string text;
  for (const char c : here) text += w.feed(c == '\n' ? std::string_view("\r\n") : std::string_view(&c, 1));
  EXPECT_EQ(text, "");
  EXPECT_TRUE(w.wire.connected());
}

TEST(ConsoleWire, WhatIsNoPacketIsText) {
  Wire w;
  w.feed(here);
  std::string cut(data);
  cut.insert(10, "panic: in the middle\n");
  EXPECT_THAT(w.feed(cut), HasSubstr("panic: in the middle\n"));
  EXPECT_THAT(w.payload, IsEmpty());
  EXPECT_EQ(w.feed("\x1e and more\n"), "\x1e and more\n");
  EXPECT_EQ(w.feed("\x1eK" + std::string(1000, 'x')).size(), 1002u) << "longer than any packet";
  EXPECT_EQ(w.feed("\x1eKD00"), "");
  EXPECT_EQ(w.wire.rest(), "\x1eKD00");
  EXPECT_EQ(w.feed("\n"), "\n");
}

TEST(ConsoleWire, IsSilentWhileTheConsoleIsAnothers) {
  Wire w;
  w.feed(here);
  const auto now = Clock::now();
  w.wire.next(now, false);
  EXPECT_EQ(w.wire.send("abc"), 3u);
  EXPECT_EQ(w.wire.next(now, true), "");
  const std::string first = w.wire.next(now, false);
  EXPECT_THAT(first, HasSubstr("KD0000YWJj*"));
  EXPECT_EQ(w.wire.next(now + 100ms, false), "");
  EXPECT_EQ(w.wire.next(now + 300ms, false), first) << "nobody answered";
  EXPECT_TRUE(w.wire.busy());
}

TEST(ConsoleWire, TakesNoMoreThanItHasRoomFor) {
  Wire w;
  w.feed(here);
  EXPECT_EQ(w.wire.send(std::string(100000, 'x')), 65536u);
  EXPECT_EQ(w.wire.send("y"), 0u);
}

/// The agent on one end of a terminal; what it prints and is told passes through here, and suffers.
class OverATerminal : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    ASSERT_EQ(::openpty(&master_, &slave_, name_, nullptr, nullptr), 0);
    const std::string program = agent_program().string();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::execl(program.c_str(), program.c_str(), "--console", name_, nullptr);
      ::_exit(126);
    }
    channel_.reroute_locked([this](std::string_view bytes) { return wire_.send(bytes); });
  }
  void TearDown() override {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
    ::close(slave_);
  }

  /// Carries bytes both ways until `done`, at most 60 s.
  template <class Done>
  bool pump(Done done) {
    const auto end = Clock::now() + 60s;
    while (Clock::now() < end) {
      {
        std::lock_guard lock(mutex_);
        if (done()) return true;
        channel_.flush_locked();
      }
      pollfd fd{master_, POLLIN, 0};
      if (::poll(&fd, 1, 10) > 0) {
        char buffer[4096];
        const ssize_t n = ::read(master_, buffer, sizeof buffer);
        if (n <= 0) return false;
        std::string payload;
        text_ += wire_.feed(disturb({buffer, static_cast<std::size_t>(n)}), Clock::now(), payload);
        if (!payload.empty()) channel_.feed(payload);
      }
      std::string out = wire_.next(Clock::now(), false);
      if (GetParam() && !out.empty() && random_() % 24 == 0) out[random_() % out.size()] ^= 1;
      for (std::string_view rest = out; !rest.empty();) {
        const ssize_t n = ::write(master_, rest.data(), rest.size());
        if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
      }
    }
    return false;
  }

  std::string disturb(std::string bytes) {
    if (GetParam() && random_() % 24 == 0) {
      const std::string message = "<6>message " + std::to_string(messages_++) + "\n";
      bytes.insert(random_() % (bytes.size() + 1), message);
    }
    return bytes;
  }

  std::minstd_rand random_{static_cast<unsigned>(GetParam())};
  int master_ = -1, slave_ = -1, pid_ = -1, messages_ = 0;
  char name_[64] = {};
  std::mutex mutex_;
  std::condition_variable changed_;
  ConsoleWire wire_;
  AgentChannel channel_{mutex_, changed_, -1, [] {}};
  std::string text_;
};

TEST_P(OverATerminal, CommandsAndFilesPass) {
  const std::uint32_t hello[2] = {KDEV_PROTOCOL_VERSION, KDEV_HELLO_RESET};
  const std::string greeting(reinterpret_cast<const char*>(hello), sizeof hello);
  ASSERT_TRUE(pump([&] { return wire_.connected(); }));
  channel_.send(KDEV_HELLO, 0, greeting);
  ASSERT_TRUE(pump([&] { return channel_.hello_locked().has_value(); }));
  EXPECT_EQ(channel_.hello_locked()->facts.at("window"), "16384");

  // More than the window, both ways.
  std::string bytes(50000, '\0');
  for (char& c : bytes) c = static_cast<char>(random_());
  const auto job = channel_.open(1 << 20);
  const kdev_exec exec{1, 0, KDEV_EXEC_STDIN, 0};
  channel_.send(KDEV_EXEC, job->id,
                std::string(reinterpret_cast<const char*>(&exec), sizeof exec) + std::string("\0cat\0", 5));
  channel_.send(KDEV_STDIN, job->id, bytes);
  channel_.send(KDEV_STDIN_CLOSE, job->id, {});
  ASSERT_TRUE(pump([&] { return job->over(); }));
  ASSERT_TRUE(job->exit);
  EXPECT_EQ(job->exit->value, 0u);
  EXPECT_TRUE(job->out.take() == bytes);
  // Whatever cut into a packet is still there to be read.
  for (int i = 0; i < messages_; ++i) EXPECT_THAT(text_, HasSubstr("message " + std::to_string(i)));
}

INSTANTIATE_TEST_SUITE_P(Noise, OverATerminal, ::testing::Values(0, 1, 2), [](const auto& info) {
  return info.param ? "Noisy" + std::to_string(info.param) : "Quiet";
});

}  // namespace
}  // namespace kdev::vm
