#include "build/tree_state.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <kdev/error.hpp>
#include <set>

#include "unit/host/temp_dir.hpp"

using namespace kdev;
using kdev::test::TempDir;
namespace fs = boost::filesystem;

namespace {

TreeState scan(const Path& tree, const TreeState& known = {}, const TreeState::Ignore& ignore = {}) {
  return TreeState::scan(*local_host(), tree, known, ignore, Deadline());
}

/// Sets a file's modification time far back, so that it counts as settled but for its ctime.
void set_mtime(const Path& file, std::int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

std::set<std::string> changed(const TreeState& now, const TreeState& before) {
  std::set<std::string> paths;
  for (const TreeChange& change : now.changes_since(before))
    paths.insert((change.kind == TreeChange::Kind::added     ? "+"
                  : change.kind == TreeChange::Kind::removed ? "-"
                                                             : "!") +
                 change.path);
  return paths;
}

}  // namespace

TEST(TreeState, DigestsAreOfContentNotOfDates) {
  TempDir dir;
  dir.write("a/b.c", "one");
  dir.write("c.h", "two");
  const std::string digest = scan(dir.path()).digest();
  set_mtime(dir / "a/b.c", 1000);
  EXPECT_EQ(scan(dir.path()).digest(), digest);
  dir.write("a/b.c", "two");
  const std::string edited = scan(dir.path()).digest();
  EXPECT_NE(edited, digest);
  dir.write("a/b.c", "one");
  EXPECT_EQ(scan(dir.path()).digest(), digest);
}

TEST(TreeState, EveryKindOfChangeIsSeen) {
  TempDir dir;
  dir.write("edited.c", "one");
  dir.write("removed.c", "one");
  dir.write("kept.c", "one");
  dir.write("mode.sh", "one", 0644);
  fs::create_symlink("kept.c", dir / "link");
  dir.write("becomes-link", "kept.c");
  const TreeState before = scan(dir.path());
  dir.write("edited.c", "two");
  fs::remove(dir / "removed.c");
  dir.write("new/added.c", "one");
  fs::permissions(dir / "mode.sh", fs::perms(0755));
  fs::remove(dir / "link");
  fs::create_symlink("edited.c", dir / "link");
  fs::remove(dir / "becomes-link");
  fs::create_symlink("kept.c", dir / "becomes-link");
  const TreeState now = scan(dir.path(), before);
  EXPECT_EQ(changed(now, before), (std::set<std::string>{"!edited.c", "-removed.c", "+new/added.c",
                                                         "!mode.sh", "!link", "!becomes-link"}));
  EXPECT_NE(now.digest(), before.digest());
}

TEST(TreeState, AFileMovedFromOneFolderToAnotherIsAChange) {
  TempDir dir;
  dir.write("a/x.c", "one");
  dir.write("b/y.c", "one");
  const TreeState before = scan(dir.path());
  fs::rename(dir / "a/x.c", dir / "b/x.c");
  EXPECT_NE(scan(dir.path(), before).digest(), before.digest());
}

// Same size, same mtime, right after it was read: only a second reading tells.
TEST(TreeState, AFileWrittenTwiceInOneTickIsReadAgain) {
  TempDir dir;
  for (int i = 0; i < 200; ++i) {
    dir.write("racy.c", "aaaa");
    const TreeState before = scan(dir.path());
    {
      const int fd = ::open((dir / "racy.c").c_str(), O_WRONLY);
      ASSERT_EQ(::pwrite(fd, "bbbb", 4, 0), 4);
      ::close(fd);
    }
    const TreeState now = scan(dir.path(), before);
    ASSERT_EQ(changed(now, before), std::set<std::string>{"!racy.c"}) << "in round " << i;
  }
}

TEST(TreeState, AFileWithItsOldDatePutBackIsReadAgain) {
  TempDir dir;
  dir.write("a.c", "aaaa");
  set_mtime(dir / "a.c", 1000);
  TreeState before = scan(dir.path());
  dir.write("a.c", "bbbb");
  set_mtime(dir / "a.c", 1000);
  EXPECT_EQ(changed(scan(dir.path(), before), before), std::set<std::string>{"!a.c"});
}

TEST(TreeState, WhatIsSettledIsNotReadAgain) {
  // Files of the system: their ctime lies well back.
  const Path tree = "/usr/include/linux";
  if (!fs::is_directory(tree)) GTEST_SKIP() << "no " << tree;
  const TreeState first = scan(tree);
  EXPECT_EQ(first.counts().read, first.counts().files);
  const TreeState second = scan(tree, first);
  EXPECT_EQ(second.counts().read, 0u);
  EXPECT_EQ(second.counts().files, first.counts().files);
  EXPECT_EQ(second.digest(), first.digest());
  EXPECT_TRUE(second.untouched_since(first));
}

TEST(TreeState, TouchingIsNoticedThoughTheContentIsTheSame) {
  TempDir dir;
  dir.write("a.c", "one");
  const TreeState before = scan(dir.path());
  EXPECT_TRUE(scan(dir.path(), before).untouched_since(before));
  set_mtime(dir / "a.c", 5000);
  const TreeState now = scan(dir.path(), before);
  EXPECT_FALSE(now.untouched_since(before));
  EXPECT_TRUE(now.changes_since(before).empty());
}

TEST(TreeState, IgnoredFilesAndFoldersDoNotCount) {
  TempDir dir;
  dir.write("a.c", "one");
  dir.write(".git/HEAD", "x");
  const auto no_git = [](std::string_view path) { return path == ".git"; };
  const std::string digest = scan(dir.path(), {}, no_git).digest();
  dir.write(".git/HEAD", "y");
  dir.write(".git/objects/12/34", "z");
  EXPECT_EQ(scan(dir.path(), {}, no_git).digest(), digest);
}

TEST(TreeState, LinksOutOfTheTreeCountWithWhatTheyLeadTo) {
  TempDir dir, elsewhere;
  elsewhere.write("shared/common.h", "one");
  elsewhere.write("single.c", "one");
  dir.write("a.c", "a");
  fs::create_symlink(elsewhere / "shared", dir / "shared");
  fs::create_symlink(elsewhere / "single.c", dir / "single.c");
  TreeState before = scan(dir.path());
  elsewhere.write("shared/common.h", "two");
  TreeState now = scan(dir.path(), before);
  EXPECT_TRUE(changed(now, before).contains("!shared/common.h"));
  before = now;
  elsewhere.write("single.c", "two");
  EXPECT_TRUE(changed(scan(dir.path(), before), before).contains("!single.c"));
}

TEST(TreeState, LinksInCirclesEnd) {
  TempDir dir, elsewhere;
  dir.write("a.c", "a");
  fs::create_symlink(".", dir / "self");
  fs::create_symlink(dir.path(), elsewhere / "back");
  fs::create_symlink(elsewhere.path(), elsewhere / "again");
  fs::create_symlink(elsewhere.path(), dir / "out");
  fs::create_symlink("nowhere", dir / "dangling");
  EXPECT_GE(scan(dir.path()).counts().files, 4u);
}

TEST(TreeState, SavedAndLoadedItIsTheSame) {
  TempDir dir, memory;
  dir.write("a/b/c.c", "one");
  dir.write("d.h", std::string(300000, 'x'));
  dir.write("x.sh", "#!", 0755);
  const TreeState state = scan(dir.path());
  state.save(*local_host(), memory / "state");
  const TreeState loaded = TreeState::load(*local_host(), memory / "state");
  EXPECT_EQ(loaded.digest(), state.digest());
  EXPECT_TRUE(loaded.untouched_since(state));
  EXPECT_EQ(loaded.counts().files, 3u);
  ASSERT_TRUE(loaded.folders().contains("a/b"));
  EXPECT_EQ(loaded.folders().at("a/b").front().name, "c.c");
  EXPECT_EQ(loaded.folders().at("a/b").front().size, 3);
}

TEST(TreeState, ADamagedFileIsAnEmptyState) {
  TempDir dir, memory;
  dir.write("a.c", "one");
  scan(dir.path()).save(*local_host(), memory / "state");
  const std::string good = TempDir::read(memory / "state");
  EXPECT_FALSE(TreeState::load(*local_host(), memory / "state").empty());
  EXPECT_TRUE(TreeState::load(*local_host(), memory / "missing").empty());
  for (std::size_t size = 0; size < good.size(); ++size) {
    memory.write("cut", good.substr(0, size));
    ASSERT_TRUE(TreeState::load(*local_host(), memory / "cut").empty()) << size;
    std::string flipped = good;
    flipped[size] = static_cast<char>(flipped[size] ^ 0x10);
    memory.write("flipped", flipped);
    ASSERT_TRUE(TreeState::load(*local_host(), memory / "flipped").empty()) << size;
  }
}

TEST(TreeState, PartsOfATreeHaveDigestsOfTheirOwn) {
  TempDir dir;
  dir.write("Kconfig", "one");
  dir.write("kernel/fork.c", "one");
  const auto kconfig = [](std::string_view path) { return path.ends_with("Kconfig"); };
  const std::string digest = scan(dir.path()).digest(kconfig);
  dir.write("kernel/fork.c", "two");
  EXPECT_EQ(scan(dir.path()).digest(kconfig), digest);
  dir.write("Kconfig", "two");
  EXPECT_NE(scan(dir.path()).digest(kconfig), digest);
}

TEST(TreeState, AStopEndsTheScan) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(TreeState::scan(*local_host(), "/usr/include", {}, {}, Deadline::never(stop.get_token())),
               Interrupted);
}

TEST(TreeState, AMissingTreeIsAnError) {
  EXPECT_ANY_THROW(scan("/nonexistent/tree"));
}
