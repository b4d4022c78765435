// Logs that arrive in pieces, or are larger than memory should hold.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <kdev/crash.hpp>
#include <kdev/error.hpp>
#include <random>

namespace kdev {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string warning(int number, int frames = 3) {
  std::string log = fmt::format(
      "[  {0:3}.000000] ------------[ cut here ]------------\n"
      "[  {0:3}.000000] WARNING: CPU: 0 PID: 35 at drivers/foo.c:90 foo_{0}+0x1f/0x30\n"
      "[  {0:3}.000000] CPU: 0 PID: 35 Comm: sh Not tainted 6.1.192 #1\n"
      "[  {0:3}.000000] RIP: 0010:foo_{0}+0x1f/0x30\n"
      "[  {0:3}.000000] Call Trace:\n",
      number);
  for (int i = 0; i < frames; ++i) log += fmt::format("[  {:3}.000000]  frame_{}+0x1/0x20\n", number, i);
  return log + fmt::format("[  {:3}.000000] ---[ end trace 0000000000000000 ]---\n", number);
}

std::string noise(std::size_t size) {
  std::string log;
  for (int i = 0; log.size() < size; ++i)
    log += fmt::format("[  100.{:06}] usb 1-1: new high-speed USB device number {}\n", i % 1000000, i);
  return log;
}

std::vector<CrashReport> in_pieces(std::string_view log, std::mt19937& random, std::size_t most) {
  ConsoleScanner scanner;
  std::vector<CrashReport> all;
  while (!log.empty()) {
    const auto piece = log.substr(0, 1 + random() % most);
    for (auto& r : scanner.feed(piece)) all.push_back(std::move(r));
    log.remove_prefix(piece.size());
  }
  for (auto& r : scanner.finish()) all.push_back(std::move(r));
  return all;
}

TEST(ConsoleScanner, PiecesOfAnySizeGiveTheSame) {
  std::mt19937 random(3);
  const std::string log = warning(1) + noise(3 << 20) + warning(2) + warning(3, 20000) + noise(1 << 20) +
                          "no line end: kernel BUG at" + noise(1 << 18) + warning(4).substr(0, 300);
  const auto whole = scan_console(log);
  ASSERT_THAT(whole, SizeIs(4));
  for (const std::size_t most : {100u, 70000u, 5000000u}) EXPECT_EQ(whole, in_pieces(log, random, most));
}

TEST(ConsoleScanner, ReportsComeOnceWhatFollowsIsThere) {
  ConsoleScanner scanner;
  EXPECT_EQ("", scanner.system());
  EXPECT_THAT(scanner.feed(warning(1)), IsEmpty());
  const auto reports = scanner.feed(noise(8 << 20));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ("linux", scanner.system());
  EXPECT_EQ("WARNING in foo_1", reports[0].title);
  EXPECT_THAT(scanner.feed(warning(2)), IsEmpty());
  EXPECT_THAT(scanner.finish(), SizeIs(1));
  // As new: nothing of what came before.
  EXPECT_THAT(scanner.finish(), IsEmpty());
  EXPECT_EQ("", scanner.system());
}

TEST(ConsoleScanner, AWrongSystemIsSaidAtOnce) {
  EXPECT_THROW(ConsoleScanner("plan9"), ConfigError);
  EXPECT_THROW(scan_console("", "plan9"), ConfigError);
  EXPECT_THROW(scan_file("/nowhere/console.log", [](CrashReport) { return true; }), ConfigError);
}

/// Peak resident memory of this process, in bytes, since it was last reset.
std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (std::size_t kb = 0; std::sscanf(line.c_str(), "VmHWM: %zu kB", &kb) == 1) return kb << 10;
  return 0;
}

bool reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak_memory() > 0;
}

TEST(ScanFile, MemoryDoesNotGrowWithTheFile) {
  const std::string file = testing::TempDir() + "kdev-stream.log";
  std::size_t size = 0;
  int reports = 0;
  {
    std::ofstream out(file, std::ios::binary);
    const std::string quiet = noise(1 << 20);
    for (int i = 0; i < 96; ++i) {
      const std::string text = (i % 4 ? quiet : warning(i) + quiet);
      reports += i % 4 == 0;
      out << text;
      size += text.size();
    }
  }
  ASSERT_TRUE(reset_peak_memory());
  const std::size_t before = peak_memory();
  int found = 0;
  std::size_t last = 0;
  scan_file(file, [&](CrashReport report) {
    EXPECT_EQ(fmt::format("WARNING in foo_{}", 4 * found++), report.title);
    EXPECT_GE(report.begin, last);
    last = report.end;
    return true;
  });
  const std::size_t used = peak_memory() - before;
  std::remove(file.c_str());
  EXPECT_EQ(reports, found);
  EXPECT_LT(last, size);
#ifdef __SANITIZE_ADDRESS__
  static_cast<void>(used);  // ASan keeps what was freed
#else
  EXPECT_LT(used, size / 3);
#endif
}

TEST(ScanFile, EndsWhenNoMoreIsWanted) {
  const std::string file = testing::TempDir() + "kdev-stream-end.log";
  std::ofstream(file, std::ios::binary) << warning(1) << warning(2) << warning(3);
  std::vector<std::string> titles;
  scan_file(file, [&](CrashReport report) {
    titles.push_back(report.title);
    return titles.size() < 2;
  });
  std::remove(file.c_str());
  EXPECT_THAT(titles, ElementsAre("WARNING in foo_1", "WARNING in foo_2"));
}

TEST(DetectConsole, ByWhatOnlyItsKernelSays) {
  EXPECT_EQ("", detect_console(""));
  EXPECT_EQ("", detect_console("hello\nworld\n"));
  EXPECT_EQ("linux", detect_console(warning(1)));
  EXPECT_EQ("linux", detect_console("BUG: kernel NULL pointer dereference, address: 0000000000000000\n"));
  EXPECT_EQ("freebsd",
            detect_console("panic: page fault\ncpuid = 1\ntime = 1700000000\nKDB: stack backtrace:\n"));
  EXPECT_EQ("openbsd", detect_console("panic: foo\nStopped at      db_enter+0x18:  addq    $0x8,%rsp\n"));
  EXPECT_EQ("netbsd", detect_console("[  39.1414248] panic: foo\nvpanic() at netbsd:vpanic+0x29d\n"));
  for (const auto& system : console_systems()) EXPECT_THAT(scan_console("", system), IsEmpty());
}

}  // namespace
}  // namespace kdev
