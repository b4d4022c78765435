// The cache of written images.
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "unit/image/image_test.hpp"

namespace kdev::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Realize : public ImageTest {
 protected:
  Path cache = dir / "cache";
};

TEST_F(Realize, SameContentSameFileAndNoSecondWriting) {
  put("t/f", "content");
  const Path a = SeedImage::directory(dir / "t").realize(cache);
  const std::time_t written = 1'000'000'000;
  fs::last_write_time(a, written);
  put("elsewhere/f", "content");
  EXPECT_EQ(SeedImage::directory(dir / "elsewhere").realize(cache), a);
  EXPECT_EQ(fs::last_write_time(a), written);
  EXPECT_EQ(names_in(cache).size(), 1u);
  EXPECT_THAT(paths_of(list_archive(a)), ElementsAre("/f"));
}

TEST_F(Realize, EveryDifferenceIsAnotherFile) {
  const ImageEntry base{.path = "/f", .mode = 0644, .content = "x"};
  std::vector<ImageEntry> variants(8, base);
  variants[1].mode = 0600;
  variants[2].uid = 1;
  variants[3].gid = 1;
  variants[4].content = "y";
  variants[5].path = "/g";
  variants[6].type = Type::pipe;
  variants[7].content = "";
  std::set<Path> files;
  for (const ImageEntry& e : variants) files.insert(SeedImage::from_entries({e}).realize(cache));
  files.insert(SeedImage::from_entries({base}).compress(Compression::gzip).realize(cache));
  files.insert(SeedImage::from_entries({base, {.path = "/z", .mode = 0644, .target = "/f"}}).realize(cache));
  files.insert(SeedImage::from_entries({base, {.path = "/z", .mode = 0644, .content = "x"}}).realize(cache));
  EXPECT_EQ(files.size(), 11u);
}

TEST_F(Realize, AChangedSourceIsNeverMissed) {
  const Path f = put("t/f", "one");
  const SeedImage image = SeedImage::directory(dir / "t");
  const Path a = image.realize(cache);
  const std::time_t time = fs::last_write_time(f);
  put("t/f", "two");  // same size
  fs::last_write_time(f, time);
  const Path b = image.realize(cache);
  EXPECT_NE(a, b);
  put("t/f", "one");
  EXPECT_EQ(image.realize(cache), a);
}

TEST_F(Realize, AnArchiveIsItself) {
  SeedImage::from_entries({{.path = "/a", .content = "x"}}).write(dir / "a.cpio");
  EXPECT_EQ(SeedImage::archive(dir / "a.cpio").realize(cache), dir / "a.cpio");
  const Path more = SeedImage::archive(dir / "a.cpio").add_content("y", "/b").realize(cache);
  EXPECT_THAT(paths_of(list_archive(more)), ElementsAre("/a", "/b"));
  EXPECT_EQ(SeedImage::archive(dir / "a.cpio").add_content("y", "/b").realize(cache), more);
}

TEST_F(Realize, AnEmptyFileInTheCacheIsNoImage) {
  const SeedImage image = SeedImage::from_entries({{.path = "/a", .content = "x"}});
  const Path a = image.realize(cache);
  fs::resize_file(a, 0);
  EXPECT_EQ(image.realize(cache), a);
  EXPECT_EQ(list_archive(a).size(), 1u);
}

TEST_F(Realize, ManyProcessesAndThreadsAtOnce) {
  put("t/f", std::string(2'000'000, 'x'));
  const SeedImage image = SeedImage::directory(dir / "t").compress(Compression::zstd);
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      int bad = 0;
      try {
        for (int k = 0; k < 10; ++k) {
          const Path p = image.realize(cache);
          if (list_archive(p).size() != 1) bad = 1;
          if (k % 3 == 0) ::unlink(p.c_str());
        }
      } catch (const FormatError&) {
        bad = 2;  // a part of an image was seen
      } catch (const HostError&) {
        // another process has just unlinked it
      }
      ::_exit(bad);
    }
    children.push_back(pid);
  }
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { EXPECT_NO_THROW(image.realize(cache)); });
  threads.clear();
  for (const pid_t pid : children) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  image.realize(cache);
  EXPECT_EQ(names_in(cache).size(), 1u) << "no temporary is left";
}

TEST_F(Realize, AFullDiskLeavesNothing) {
  const Path small = dir / "small";
  fs::create_directory(small);
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting needs root";
  put("t/f", "");
  fs::resize_file(dir / "t/f", 3'000'000);
  const SeedImage image = SeedImage::directory(dir / "t");
  EXPECT_THAT(failure<HostError>([&] { image.realize(small / "cache"); }), HasSubstr("No space left"));
  EXPECT_TRUE(names_in(small / "cache").empty());
  EXPECT_THAT(failure<HostError>([&] { image.write(small / "x.cpio"); }), HasSubstr("No space left"));
  EXPECT_THAT(names_in(small), ElementsAre("cache"));
  // Compressed it fits.
  const Path good = image.compress(Compression::gzip).realize(small / "cache");
  EXPECT_EQ(list_archive(good)[0].size, 3'000'000u);
  EXPECT_THAT(failure<HostError>([&] { unpack_archive(good, small / "out"); }), HasSubstr("No space left"));
  EXPECT_EQ(::umount2(small.c_str(), MNT_DETACH), 0);
}

TEST_F(Realize, WhatAKilledWriterLeftIsRemovedByTheNext) {
  put("t/f", "");
  fs::resize_file(dir / "t/f", 200u << 20);
  fs::create_directory(cache);
  const pid_t pid = ::fork();
  if (pid == 0) {
    SeedImage::directory(dir / "t").compress(Compression::gzip).realize(cache);
    ::_exit(0);
  }
  while (names_in(cache).empty()) ::usleep(1000);
  const pid_t second = ::fork();
  if (second == 0) {
    // While the first one lives its temporary is left alone.
    SeedImage::from_entries({{.path = "/a", .content = "x"}}).realize(cache);
    ::_exit(names_in(cache).size() == 2 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(second, &status, 0);
  EXPECT_EQ(status, 0);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  ASSERT_EQ(names_in(cache).size(), 2u) << "it was killed in the middle of writing";
  SeedImage::from_entries({{.path = "/b", .content = "x"}}).realize(cache);
  for (const std::string& name : names_in(cache)) EXPECT_THAT(name, ::testing::EndsWith(".cpio"));
}

}  // namespace
}  // namespace kdev::test
