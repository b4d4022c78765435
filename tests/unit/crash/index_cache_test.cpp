// What happens to an index's folder: several processes, no space, no rights, another kernel.
#include "crash/index_cache.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <kdev/deadline.hpp>
#include <kdev/error.hpp>
#include <thread>

#include "unit/crash/symbolizer_fixture.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using crash::DebugInfo;
using test::lines;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class IndexCacheTest : public test::SymbolizerTest {
 protected:
  IndexCacheTest() : folder_(fixture->dir() / fs::unique_path("cache-%%%%%%%%")) {}
  SymbolSources sources() const {
    auto sources = fixture->sources();
    sources.index = folder_;
    return sources;
  }
  static ino_t inode(const Path& file) {
    struct stat st {};
    return ::stat(file.c_str(), &st) == 0 ? st.st_ino : 0;
  }
  const Path folder_;
};

TEST_F(IndexCacheTest, WhoComesSecondWaitsAndTakesIt) {
  const Path other = folder_.string() + ".other";
  const Path made = DebugInfo(fixture->vmlinux(), "test").write_index(other);
  const Path file = folder_ / made.filename();
  Path found;
  std::thread second;
  {
    const crash::IndexLock lock(folder_);
    second = std::thread([&] { found = DebugInfo(fixture->vmlinux(), "test").write_index(folder_); });
    // Long enough for one that does not wait; one that does may come later all the same.
    for (int i = 0; i < 20 && !fs::exists(file); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(fs::exists(file));
    fs::copy_file(made, file);
  }
  const ino_t ours = inode(file);
  second.join();
  EXPECT_EQ(file, found);
  EXPECT_EQ(ours, inode(file)) << "it was made a second time";
}

TEST_F(IndexCacheTest, WaitingIsInterrupted) {
  const crash::IndexLock lock(folder_);
  std::atomic<int> asked{0};
  set_interrupt_hook([&] { return ++asked > 2; });
  EXPECT_THROW(crash::IndexLock{folder_}, Interrupted);
  set_interrupt_hook({});
}

TEST_F(IndexCacheTest, AFolderThatCannotBeWrittenIsANote) {
  std::ofstream(folder_.string()) << "a file is in its place";
  const Symbolizer symbolizer(sources());
  EXPECT_EQ(Path(), symbolizer.build_index());
  EXPECT_FALSE(symbolizer.indexed());
  EXPECT_THAT(symbolizer.notes(), ElementsAre(HasSubstr(folder_.string())));
  const auto frames = symbolizer.at_symbol("open_device", 1, 0, "", false);
  EXPECT_THAT(lines(frames), ElementsAre(HasSubstr("open_device drivers/kernel.c:")));
  CrashReport report;
  symbolizer.symbolize(report);
  EXPECT_EQ(symbolizer.notes(), report.notes);
  // There is room again.
  fs::remove(folder_);
  EXPECT_FALSE(symbolizer.build_index().empty());
  EXPECT_THAT(symbolizer.notes(), IsEmpty());
}

TEST_F(IndexCacheTest, AFullDiskLeavesNothingBehind) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};  // bytes of a file: as a disk that is nearly full
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Symbolizer symbolizer(sources());
    const bool failed = symbolizer.build_index().empty() && symbolizer.notes().size() == 1;
    const bool works = !symbolizer.at_symbol("open_device", 1, 0, "", false).empty();
    ::_exit(failed && works && fs::is_empty(folder_) ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(0, status);
}

// Also where its build id is what somebody forced it to be.
TEST_F(IndexCacheTest, AKernelThatWasBuiltAnewGetsItsOwn) {
  auto given = sources();
  given.vmlinux = fixture->dir() / "vmlinux.rebuilt";
  fs::copy_file(fixture->vmlinux(), given.vmlinux, fs::copy_options::overwrite_existing);
  const Path first = Symbolizer(given).build_index();
  EXPECT_TRUE(Symbolizer(given).indexed());
  fs::remove(given.vmlinux);
  fixture->run({"cc", "-g", "-O2", "-fno-pie", "-ffreestanding", "-mcmodel=kernel", "-fno-stack-protector",
                "-fno-asynchronous-unwind-tables", "-nostdlib", "-static", "-no-pie",
                "-Wl,--build-id=0x00112233445566778899aabbccddeeff99887766",
                "-Wl,-Ttext-segment=0xffffffff81000000", "-o", given.vmlinux.string(),
                (fixture->tree() / "drivers/kernel.c").string(),
                (fixture->tree() / "drivers/other.c").string()});
  const Symbolizer rebuilt(given);
  EXPECT_FALSE(rebuilt.indexed());
  const auto before = rebuilt.at_symbol("close_device", 1, 0, "", false);
  const Path second = rebuilt.build_index();
  EXPECT_NE(first, second);
  EXPECT_TRUE(fs::exists(first));
  EXPECT_EQ(before, rebuilt.at_symbol("close_device", 1, 0, "", false));
}

}  // namespace
}  // namespace kdev
