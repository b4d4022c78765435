// A real gdb, without a kernel.
#include "debug/gdb.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>

using namespace kdev;
using ::testing::HasSubstr;

namespace {

struct GdbTest : ::testing::Test {
  Path dir = boost::filesystem::temp_directory_path() / boost::filesystem::unique_path("kdev-test-%%%%%%%%");
  void SetUp() override {
    if (!local_host()->which(debug::gdb_program())) GTEST_SKIP() << "gdb is not installed";
    boost::filesystem::create_directories(dir);
  }
  void TearDown() override { boost::filesystem::remove_all(dir); }
  debug::GdbOptions options() { return {.cwd = dir, .log = dir / "gdb.log", .lease = {}}; }
  Deadline soon() { return Deadline::after(Seconds(30)); }
};

TEST_F(GdbTest, AnswersAndWhatItSays) {
  debug::Gdb gdb(options());
  EXPECT_EQ(json::get_string(gdb.command("-data-evaluate-expression \"6*7\"", soon()).results, "value"),
            "42");
  EXPECT_EQ(gdb.console("print \"a\\tb\"", soon()), "$1 = \"a\\tb\"\n");
  EXPECT_FALSE(gdb.running());
}

TEST_F(GdbTest, ARefusalIsADebugErrorWithItsWords) {
  debug::Gdb gdb(options());
  try {
    gdb.command("-break-insert nowhere", soon());
    FAIL() << "no error";
  } catch (const DebugError& e) {
    EXPECT_THAT(e.what(), HasSubstr("No symbol table"));
  }
  EXPECT_NO_THROW(gdb.command("-gdb-version", soon())) << "it goes on";
}

TEST_F(GdbTest, AnAnswerThatNobodyWaitsForIsNoLaterCommands) {
  debug::Gdb gdb(options());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(gdb.command("-data-evaluate-expression 1", Deadline::never(stop.get_token())), Interrupted);
  EXPECT_THROW(gdb.command("-data-evaluate-expression 2", Deadline::after(Seconds(0))), TimeoutError);
  EXPECT_EQ(json::get_string(gdb.command("-data-evaluate-expression 3", soon()).results, "value"), "3");
}

TEST_F(GdbTest, WhenItEndsEverybodyHearsOfIt) {
  debug::Gdb gdb(options());
  ::kill(gdb.pid(), SIGKILL);
  EXPECT_THROW(for (;;) gdb.command("-gdb-version", soon()), DebugError);
  EXPECT_THROW(gdb.wait_stop(soon(), "wait"), DebugError);
}

TEST_F(GdbTest, NoProcessIsLeft) {
  int pid = 0;
  {
    debug::Gdb gdb(options());
    pid = gdb.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
