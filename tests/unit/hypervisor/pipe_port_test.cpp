// A device's port over pipes: what is printed comes through, whole and in order, however much it is.
#include "hypervisor/qemu/pipe_port.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <thread>

using namespace kdev;
using hypervisor::PipePort;

namespace {

class PipePortTest : public testing::Test {
 protected:
  PipePortTest() {
    char name[] = "/tmp/kdev-pipe-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~PipePortTest() override { boost::filesystem::remove_all(folder_); }
  /// The device's side.
  UniqueFd open(const char* name, int flags) {
    return UniqueFd(::open((folder_ / name).c_str(), flags | O_CLOEXEC));
  }
  Path folder_;
};

std::string take(int fd, std::size_t size) {
  std::string text;
  char buffer[4096];
  while (text.size() < size) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, 20000) <= 0) break;
    const ssize_t n = ::read(fd, buffer, sizeof(buffer));
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST_F(PipePortTest, BytesGoBothWays) {
  UniqueFd stream;
  const PipePort port(folder_, "console", stream);
  const UniqueFd out = open("console.out", O_WRONLY), in = open("console.in", O_RDONLY);
  ASSERT_TRUE(out && in);
  ASSERT_EQ(6, ::write(out.get(), "hello\n", 6));
  EXPECT_EQ("hello\n", take(stream.get(), 6));
  ASSERT_EQ(3, ::send(stream.get(), "ps\n", 3, 0));
  EXPECT_EQ("ps\n", take(in.get(), 3));
}

TEST_F(PipePortTest, MuchIsNotLostWhileNobodyReads) {
  UniqueFd stream;
  const PipePort port(folder_, "console", stream);
  const std::string text = lines(300'000);  // some MB: pipe and socket are full long before
  std::jthread device([&] {
    const UniqueFd out = open("console.out", O_WRONLY);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = ::write(out.get(), text.data() + at, std::min<std::size_t>(text.size() - at, 1000));
      if (n <= 0) return;
      at += static_cast<std::size_t>(n);
    }
  });
  ::poll(nullptr, 0, 50);
  EXPECT_EQ(text, take(stream.get(), text.size()));
}

TEST_F(PipePortTest, WhatWasPrintedLastComesBeforeTheEnd) {
  for (int round = 0; round < 50; ++round) {
    UniqueFd stream;
    PipePort port(folder_, "console", stream);
    const std::string text = lines(2000);
    {
      const UniqueFd out = open("console.out", O_WRONLY);
      ASSERT_EQ(static_cast<ssize_t>(text.size()), ::write(out.get(), text.data(), text.size()));
    }
    port.finish();
    port.finish();
    ASSERT_EQ(text, take(stream.get(), text.size() + 1)) << "and then it ends";
  }
}

TEST_F(PipePortTest, EndsWhileBothSidesAreFull) {
  UniqueFd stream;
  auto port = std::make_unique<PipePort>(folder_, "console", stream);
  const UniqueFd out = open("console.out", O_WRONLY | O_NONBLOCK);
  const std::string text = lines(1000);
  // Until no more goes in for a while.
  for (int full = 0; full < 5;) {
    const bool taken = ::write(out.get(), text.data(), text.size()) > 0;
    full = taken ? 0 : full + 1;
    if (!taken) ::poll(nullptr, 0, 5);
  }
  port.reset();
  stream = UniqueFd();
}

TEST_F(PipePortTest, AFolderThatIsNotThereIsAnError) {
  UniqueFd stream;
  EXPECT_ANY_THROW(PipePort(folder_ / "none", "console", stream));
}

}  // namespace
