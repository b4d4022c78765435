#include "vm/console_log.hpp"

#include <boost/filesystem/operations.hpp>
#include <gtest/gtest.h>
#include <kdev/error.hpp>

using namespace kdev;
using vm::ConsoleLog;

namespace {

struct ConsoleLogTest : ::testing::Test {
  Path dir = boost::filesystem::temp_directory_path() / boost::filesystem::unique_path("kdev-test-%%%%%%%%");
  ConsoleLogTest() { boost::filesystem::create_directories(dir); }
  ~ConsoleLogTest() override { boost::filesystem::remove_all(dir); }
};

TEST_F(ConsoleLogTest, ReadsBackAnyRange) {
  ConsoleLog log(dir / "console.log");
  log.append("hello ");
  log.append("world\n");
  EXPECT_EQ(log.size(), 12u);
  EXPECT_EQ(log.read(0), "hello world\n");
  EXPECT_EQ(log.read(6, 11), "world");
  EXPECT_EQ(log.read(12), "");
  EXPECT_EQ(log.read(5, 2), "");
  EXPECT_EQ(log.read(100), "");
}

TEST_F(ConsoleLogTest, OldPartsComeFromTheFile) {
  ConsoleLog log(dir / "console.log");
  const std::string block(1 << 20, 'x');
  log.append("first line\n");
  for (int i = 0; i < 40; ++i) log.append(block);
  log.append("\nlast line\n");
  EXPECT_EQ(log.read(0, 11), "first line\n");
  EXPECT_EQ(log.read(log.size() - 10), "last line\n");
  EXPECT_EQ(log.read(0).size(), log.size());
  EXPECT_EQ(boost::filesystem::file_size(log.file()), log.size());
}

TEST_F(ConsoleLogTest, TailBeginsWithAWholeLine) {
  ConsoleLog log(dir / "console.log");
  log.append("one\ntwo\nthree\n");
  EXPECT_EQ(log.tail(9), "three\n");
  EXPECT_EQ(log.tail(1000), "one\ntwo\nthree\n");
}

TEST_F(ConsoleLogTest, AFileThatCannotBeMadeIsAnError) { EXPECT_THROW(ConsoleLog(dir / "no" / "such" / "folder"), HostError); }

TEST_F(ConsoleLogTest, AFullDiskLosesNothingThatFitsInMemory) {
  if (!boost::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  boost::filesystem::create_symlink("/dev/full", dir / "console.log");
  ConsoleLog log(dir / "console.log");
  log.append("panic\n");
  EXPECT_TRUE(log.incomplete());
  EXPECT_EQ(log.read(0), "panic\n");
}

}  // namespace
