// The lock: one holder, who is known, and who loses it by dying.
#include "workspace/lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <kdev/error.hpp>
#include <thread>

#include "unit/host/temp_dir.hpp"

namespace kdev {
namespace {

using test::TempDir;
using ::testing::HasSubstr;

TEST(FileLock, OneAtATime) {
  const TempDir dir;
  FileLock a = FileLock::acquire(*local_host(), dir / "l", "build");
  EXPECT_TRUE(a);
  EXPECT_FALSE(FileLock::try_acquire(*local_host(), dir / "l", "build"));
  a = FileLock();
  EXPECT_FALSE(a);
  EXPECT_TRUE(FileLock::try_acquire(*local_host(), dir / "l", "build"));
  EXPECT_TRUE(FileLock::try_acquire(*local_host(), dir / "l", "build"));  // the one before went out of scope
  EXPECT_EQ(build_lock_file("/ws"), "/ws/build.lock");
}

TEST(FileLock, TellsWhoHasIt) {
  const TempDir dir;
  const FileLock held = FileLock::acquire(*local_host(), dir / "l", "build a kernel");
  std::vector<LockHolder> told;
  try {
    FileLock::acquire(*local_host(), dir / "l", "x", Deadline::after(Seconds(0.2)),
                      [&](const LockHolder& h) { told.push_back(h); });
    FAIL() << "two holders";
  } catch (const TimeoutError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("held by process " + std::to_string(::getpid())));
    EXPECT_THAT(e.reason(), HasSubstr("to build a kernel"));
    EXPECT_NE(e.hint(), "");
  }
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].pid, ::getpid());
  EXPECT_EQ(told[0].what, "build a kernel");
  EXPECT_EQ(told[0].since.size(), 19u);
}

TEST(FileLock, CallbackThatThrowsAndStopToken) {
  const TempDir dir;
  const FileLock held = FileLock::acquire(*local_host(), dir / "l", "build");
  EXPECT_THROW(FileLock::acquire(*local_host(), dir / "l", "x", {},
                                 [](const LockHolder&) { throw std::domain_error("mine"); }),
               std::domain_error);
  std::stop_source stop;
  EXPECT_THROW(FileLock::acquire(*local_host(), dir / "l", "x", Deadline::never(stop.get_token()),
                                 [&](const LockHolder&) { stop.request_stop(); }),
               Interrupted);
}

TEST(FileLock, FileThatCannotBeMade) {
  const TempDir dir;
  EXPECT_THROW(FileLock::acquire(*local_host(), dir / "nope/l", "x"), HostError);
  EXPECT_THROW(FileLock::acquire(*local_host(), dir.path(), "x"), HostError);
}

TEST(FileLock, GarbageInTheFileDoesNoHarm) {
  const TempDir dir;
  const FileLock held = FileLock::acquire(*local_host(), dir / "l", "build");
  dir.write("l", "garbage");
  EXPECT_THROW(FileLock::acquire(*local_host(), dir / "l", "x", Deadline::after(Seconds(0.05)),
                                 [](const LockHolder& h) { EXPECT_EQ(describe(h), "another process"); }),
               TimeoutError);
}

TEST(FileLock, DiesWithItsHolder) {
  const TempDir dir;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const int pid = ::fork();
  if (pid == 0) {
    const FileLock held = FileLock::acquire(*local_host(), dir / "l", "build");
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char c;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  int waits = 0;
  const FileLock lock = FileLock::acquire(*local_host(), dir / "l", "x", Deadline::after(Seconds(60)),
                                          [&](const LockHolder& h) {
                                            EXPECT_EQ(h.pid, pid);
                                            ++waits;
                                            ::kill(pid, SIGKILL);
                                          });
  EXPECT_TRUE(lock);
  EXPECT_EQ(waits, 1);
  ::waitpid(pid, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FileLock, ExcludesThreadsToo) {
  const TempDir dir;
  std::atomic<int> inside{0}, most{0}, done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const FileLock lock = FileLock::acquire(*local_host(), dir / "l", "x", Deadline::after(Seconds(60)));
        most = std::max(most.load(), ++inside);
        std::this_thread::yield();
        --inside;
        ++done;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(done, 20);
}

}  // namespace
}  // namespace kdev
