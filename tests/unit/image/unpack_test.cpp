// Unpacking: nothing gets out of the folder.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "unit/image/image_test.hpp"
#include "unit/image/newc_bytes.hpp"

namespace kdev::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Unpack : public ImageTest {
 protected:
  Unpack() { fs::create_directory(dir / "outside"); }
  Path archive(const std::string& body) { return put("a.cpio", body + newc_trailer()); }
  void refused(const std::string& body) {
    EXPECT_THROW(unpack_archive(archive(body), dir / "out"), FormatError);
    EXPECT_TRUE(names_in(dir / "outside").empty());
    EXPECT_THAT(names_in(dir), ::testing::IsSubsetOf({"a.cpio", "out", "outside"}));
  }
};

unsigned mode_of(const Path& path) {
  struct stat st {};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st.st_mode;
}

TEST_F(Unpack, EveryKind) {
  const SeedImage image = SeedImage::from_entries(
      {{.type = Type::dir, .path = "/d", .mode = 01777},
       {.path = "/d/f", .mode = 04711, .content = "text"},
       {.path = "/d/g", .mode = 0400, .target = "/d/f"},
       {.type = Type::symlink, .path = "/l", .mode = 0777, .target = "/etc/passwd"},
       {.type = Type::pipe, .path = "/p", .mode = 0622},
       {.type = Type::socket, .path = "/s", .mode = 0600},
       {.type = Type::node, .path = "/n", .mode = 0666, .device = 'c', .major = 1, .minor = 3}});
  image.write(dir / "i.cpio");
  const mode_t before = ::umask(077);
  const auto skipped = unpack_archive(dir / "i.cpio", dir / "new/out");
  ::umask(before);
  EXPECT_EQ(mode_of(dir / "new/out/d"), S_IFDIR | 01777u);
  EXPECT_EQ(mode_of(dir / "new/out/d/f"), S_IFREG | 04711u);
  EXPECT_EQ(slurp(dir / "new/out/d/g"), "text");
  EXPECT_EQ(fs::read_symlink(dir / "new/out/l"), "/etc/passwd");
  EXPECT_EQ(mode_of(dir / "new/out/p"), S_IFIFO | 0622u);
  EXPECT_EQ(mode_of(dir / "new/out/s"), S_IFSOCK | 0600u);
  struct stat st;
  if (::lstat((dir / "new/out/n").c_str(), &st) == 0) {
    EXPECT_EQ(st.st_mode, S_IFCHR | 0666u);
    EXPECT_EQ(st.st_rdev, makedev(1, 3));
    EXPECT_TRUE(skipped.empty());
  } else {
    EXPECT_THAT(skipped, ElementsAre("/n"));
  }
}

TEST_F(Unpack, ReadOnlyHardLinks) {
  SeedImage::from_entries(
      {{.path = "/a", .mode = 0444, .content = "x"}, {.path = "/b", .mode = 0444, .target = "/a"}})
      .write(dir / "i.cpio");
  unpack_archive(dir / "i.cpio", dir / "out");
  EXPECT_EQ(slurp(dir / "out/a"), "x");
  EXPECT_EQ(mode_of(dir / "out/a"), S_IFREG | 0444u);
}

TEST_F(Unpack, ParentsThatLeadOut) {
  refused(newc_entry("../outside/x", S_IFREG | 0644, "evil"));
  refused(newc_entry("a/../../outside/x", S_IFREG | 0644, "evil"));
  refused(newc_entry("..", S_IFDIR | 0755));
}

TEST_F(Unpack, AbsoluteNamesStayBelow) {
  unpack_archive(archive(newc_entry((dir / "outside/x").string(), S_IFREG | 0644, "evil")), dir / "out");
  EXPECT_TRUE(names_in(dir / "outside").empty());
  EXPECT_EQ(slurp(dir / "out" / dir / "outside/x"), "evil");
}

TEST_F(Unpack, LinksThatLeadOut) {
  const std::string outside = (dir / "outside").string();
  refused(newc_entry("l", S_IFLNK | 0777, outside) + newc_entry("l/x", S_IFREG | 0644, "evil"));
  refused(newc_entry("l", S_IFLNK | 0777, "../outside") + newc_entry("l/x", S_IFREG | 0644, "evil"));
  refused(newc_entry("l", S_IFLNK | 0777, outside) + newc_entry("l/x", S_IFSOCK | 0644));
  refused(newc_entry("l", S_IFLNK | 0777, outside) + newc_entry("l/d", S_IFDIR | 0755));
  refused(newc_entry("l", S_IFLNK | 0777, "m") + newc_entry("m", S_IFLNK | 0777, outside) +
          newc_entry("l/x", S_IFREG | 0644, "evil"));
}

TEST_F(Unpack, AFileOverALinkReplacesTheLink) {
  put("outside/x", "good");
  unpack_archive(archive(newc_entry("l", S_IFLNK | 0777, (dir / "outside/x").string()) +
                         newc_entry("l", S_IFREG | 0644, "evil")),
                 dir / "out");
  EXPECT_EQ(slurp(dir / "outside/x"), "good");
  EXPECT_EQ(slurp(dir / "out/l"), "evil");
}

TEST_F(Unpack, ALinkThatWasThereBeforeIsNotFollowed) {
  fs::create_directory(dir / "out");
  fs::create_symlink(dir / "outside", dir / "out/l");
  refused(newc_entry("l/x", S_IFREG | 0644, "evil"));
}

TEST_F(Unpack, HardLinksToALinkThatLeadsOut) {
  put("outside/x", "good");
  const std::string body = newc_entry("d", S_IFLNK | 0777, (dir / "outside").string()) +
                           newc_entry("d/x", S_IFREG | 0644, "", 5, 2) +
                           newc_entry("y", S_IFREG | 0644, "evil", 5, 2);
  EXPECT_THROW(unpack_archive(archive(body), dir / "out"), FormatError);
  EXPECT_EQ(slurp(dir / "outside/x"), "good");
}

TEST_F(Unpack, AFolderReachedThroughALinkIsFine) {
  fs::create_symlink("outside", dir / "way");
  unpack_archive(archive(newc_entry("x", S_IFREG | 0644, "text")), dir / "way/in");
  EXPECT_EQ(slurp(dir / "outside/in/x"), "text");
}

TEST_F(Unpack, ADamagedArchiveIsAnError) {
  const std::string whole = newc_entry("x", S_IFREG | 0644, std::string(100'000, 'x')) + newc_trailer();
  const Path f = put("cut", whole.substr(0, 50'000));
  EXPECT_THAT(failure<FormatError>([&] { unpack_archive(f, dir / "out"); }), HasSubstr(f.string()));
}

TEST_F(Unpack, AFolderThatCannotBeIsTheHostsFault) {
  put("file", "x");
  EXPECT_THROW(unpack_archive(archive(newc_entry("x", S_IFREG | 0644)), dir / "file"), HostError);
}

}  // namespace
}  // namespace kdev::test
