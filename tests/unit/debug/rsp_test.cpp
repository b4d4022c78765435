// gdb's remote protocol against a stub that answers from a list.
#include "debug/rsp.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <thread>
#include <vector>

using namespace kdev;
using debug::Rsp;

namespace {

std::string packet(const std::string& text) {
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return fmt::format("${}#{:02x}", text, sum & 255);
}

/// Waits for each question, sends what belongs to it, and hangs up after the last one.
class Stub {
 public:
  using Talk = std::vector<std::pair<std::string, std::string>>;
  explicit Stub(Talk talk) {
    int ends[2];
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    client_ = UniqueFd(ends[0]);
    thread_ = std::jthread([fd = std::make_shared<UniqueFd>(ends[1]), talk = std::move(talk)] {
      std::string said;
      char buffer[512];
      for (const auto& [question, answer] : talk) {
        const std::string awaited = packet(question);
        while (said.find(awaited) == said.npos) {
          const ssize_t n = ::recv(fd->get(), buffer, sizeof(buffer), 0);
          if (n <= 0) return;
          said.append(buffer, static_cast<std::size_t>(n));
        }
        said.erase(0, said.find(awaited) + awaited.size());
        // In pieces, as a slow line does.
        const std::size_t piece = answer.size() > 4096 ? 4096 : 1;
        for (std::size_t at = 0; at < answer.size(); at += piece)
          if (::send(fd->get(), answer.data() + at, std::min(piece, answer.size() - at), MSG_NOSIGNAL) < 0)
            return;
      }
      // Its client's last "+" is read, so that hanging up is an end and no error.
      if (!talk.empty()) [[maybe_unused]]
        const ssize_t n = ::recv(fd->get(), buffer, sizeof(buffer), 0);
    });
  }
  UniqueFd client() { return std::move(client_); }

 private:
  UniqueFd client_;
  std::jthread thread_;
};

Deadline soon() {
  return Deadline::after(Seconds(20));
}

TEST(Rsp, RunsToAWatchpointAndReadsMemory) {
  Stub stub({{"Z2,ffff888000001000,8", "+" + packet("OK")},
             {"c", "+" + packet("T05thread:01;watch:ffff888000001000;")},
             {"mffff888000001000,8", "+" + packet("ad0badde00000000")},
             {"c", "+" + packet("T02thread:01;")},
             {"m10,4", "+" + packet("E14")},
             {"s", "+" + packet("T05thread:01;")}});
  Rsp rsp(stub.client());
  rsp.watch_writes(0xffff888000001000, 8, soon());
  EXPECT_TRUE(rsp.run(soon()));
  EXPECT_EQ("ad0badde00000000", rsp.memory(0xffff888000001000, 8, soon()));
  EXPECT_FALSE(rsp.run(soon()));
  EXPECT_EQ("", rsp.memory(0x10, 4, soon())) << "not mapped";
  rsp.step(soon());
}

TEST(Rsp, APlaceIsReadFromTheRegisters) {
  std::string all(17 * 16, '0');
  all.replace(7 * 16, 16, "00f0ffff80c9ffff");   // rsp
  all.replace(16 * 16, 16, "402a1c81ffffffff");  // rip
  Stub stub({{"g", "+" + packet(all)},
             {"g", "+" + packet("0011")},
             {"g", "+" + packet(std::string(17 * 16, 'x'))}});
  Rsp rsp(stub.client());
  const auto place = rsp.place(soon());
  EXPECT_EQ(0xffffc980fffff000u, place.sp);
  EXPECT_EQ(0xffffffff811c2a40u, place.pc);
  EXPECT_THROW(rsp.place(soon()), DebugError) << "of another CPU";
  EXPECT_THROW(rsp.place(soon()), DebugError) << "it does not know them";
}

TEST(Rsp, WhatIsNoAnswerIsAnErrorInTime) {
  {
    Stub stub({{"Z2,10,8", "+" + packet("E22")}});
    Rsp rsp(stub.client());
    EXPECT_THROW(rsp.watch_writes(0x10, 8, soon()), DebugError);
  }
  {
    Stub stub({{"c", "+" + packet("W00")}});
    Rsp rsp(stub.client());
    EXPECT_THROW(rsp.run(soon()), DebugError) << "the machine has ended";
  }
  {
    Stub stub({});
    Rsp rsp(stub.client());
    EXPECT_THROW(rsp.step(soon()), DebugError) << "it hangs up";
  }
  {
    Stub stub({{"c", "garbage without an end"}, {"never asked", ""}});
    Rsp rsp(stub.client());
    EXPECT_THROW(rsp.run(Deadline::after(Seconds(0.2))), TimeoutError);
  }
  {
    Stub stub({{"c", "$" + std::string(3u << 20, 'x')}});
    Rsp rsp(stub.client());
    EXPECT_THROW(rsp.run(soon()), DebugError) << "its answer has no end";
  }
}

}  // namespace
