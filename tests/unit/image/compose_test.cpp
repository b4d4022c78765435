// Layers of entries to one tree.
#include "image/compose.hpp"

#include "image/guest_path.hpp"
#include "unit/image/image_test.hpp"

namespace kdev::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ImageEntry file(const std::string& path, const std::string& content = "x") {
  return {.path = path, .mode = 0644, .content = content};
}
ImageEntry folder(const std::string& path, unsigned mode = 0755) {
  return {.type = Type::dir, .path = path, .mode = mode};
}
ImageEntry link(const std::string& path, const std::string& to) {
  return {.type = Type::symlink, .path = path, .mode = 0777, .target = to};
}
ImageEntry hard(const std::string& path, const std::string& first) {
  return {.path = path, .mode = 0644, .target = first};
}

TEST(GuestPath, IsNormal) {
  EXPECT_EQ(normal_guest_path("./etc//x/./y/"), "/etc/x/y");
  EXPECT_EQ(normal_guest_path("/etc"), "/etc");
  EXPECT_EQ(normal_guest_path("."), "/");
  EXPECT_EQ(normal_guest_path(""), "/");
  EXPECT_EQ(normal_guest_path("/../x"), "/../x");
  EXPECT_TRUE(leads_out("a/../b"));
  EXPECT_TRUE(leads_out(".."));
  EXPECT_FALSE(leads_out("a..b/...c"));
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
}

TEST(Compose, SortsAndMakesParents) {
  const auto out = compose({{file("/z"), file("/a/b/c"), file("/a-b")}});
  EXPECT_THAT(paths_of(out), ElementsAre("/a", "/a-b", "/a/b", "/a/b/c", "/z"));
  EXPECT_EQ(out[0], folder("/a"));
}

TEST(Compose, LaterLayersWin) {
  const auto out =
      compose({{file("/f", "old"), folder("/d", 0700)}, {file("//f/", "new"), folder("/d", 0711)}});
  EXPECT_EQ(find(out, "/f").content, "new");
  EXPECT_EQ(find(out, "/d").mode, 0711u);
  EXPECT_EQ(out.size(), 2u);
}

TEST(Compose, AMadeParentGetsItsOwnEntryLater) {
  EXPECT_EQ(find(compose({{file("/d/f"), folder("/d", 01777)}}), "/d").mode, 01777u);
}

TEST(Compose, FollowsLinksToDirectories) {
  const auto out = compose({{link("/bin", "usr/bin"), link("/usr/sbin", "../bin"), folder("/usr/bin")},
                            {file("/bin/sh"), file("/usr/sbin/x"), folder("/bin")}});
  EXPECT_THAT(paths_of(out),
              ElementsAre("/bin", "/usr", "/usr/bin", "/usr/bin/sh", "/usr/bin/x", "/usr/sbin"));
  EXPECT_EQ(find(out, "/bin").type, Type::symlink) << "a directory copied onto a link goes where it leads";
}

TEST(Compose, LinksAboveTheRootEndAtTheRoot) {
  EXPECT_THAT(paths_of(compose({{link("/l", "../../x"), file("/l/f")}})), ElementsAre("/l", "/x", "/x/f"));
}

TEST(Compose, RefusesWhatCannotBe) {
  EXPECT_THAT(failure<ConfigError>([] { compose({{file("relative")}}); }), HasSubstr("not absolute"));
  EXPECT_THAT(failure<ConfigError>([] { compose({{file("")}}); }), HasSubstr("not absolute"));
  EXPECT_THAT(failure<ConfigError>([] { compose({{file("/a/../b")}}); }), HasSubstr(".."));
  EXPECT_THAT(failure<ConfigError>([] { compose({{file("/")}}); }), HasSubstr("root"));
  EXPECT_THAT(failure<ConfigError>([] { compose({{file("/f"), file("/f/g")}}); }), HasSubstr("no directory"));
  EXPECT_THAT(failure<ConfigError>([] { compose({{file("/d/g"), file("/d")}}); }), HasSubstr("content"));
  EXPECT_THAT(failure<ConfigError>([] {
                compose({{link("/l", "l2"), link("/l2", "l"), file("/l/x")}});
              }),
              HasSubstr("too many"));
  EXPECT_THAT(failure<ConfigError>([] { compose({{hard("/h", "/none")}}); }), HasSubstr("hard link"));
  EXPECT_THAT(failure<ConfigError>([] {
                compose({{folder("/d"), hard("/h", "/d")}});
              }),
              HasSubstr("hard link"));
  EXPECT_THAT(failure<ConfigError>([] { compose({{file(std::string("/a\0b", 4))}}); }), HasSubstr("NUL"));
}

TEST(Compose, HardLinksNameTheFirstName) {
  const auto out = compose({{file("/f", "x"), hard("/g", "/f"), hard("/h", "/g")}});
  EXPECT_EQ(find(out, "/g").target, "/f");
  EXPECT_EQ(find(out, "/h").target, "/f");
}

TEST(Compose, AFileSurvivesTheLossOfItsFirstName) {
  const auto out = compose({{file("/f", "old"), hard("/g", "/f"), hard("/h", "/f")}, {file("/f", "new")}});
  EXPECT_EQ(find(out, "/f").content, "new");
  EXPECT_EQ(find(out, "/g").content, "old");
  EXPECT_EQ(find(out, "/g").target, "");
  EXPECT_EQ(find(out, "/h").target, "/g");
}

TEST(Compose, AReplacedLinkIsNoLink) {
  const auto out = compose({{file("/f", "1"), hard("/g", "/f")}, {file("/g", "2")}, {file("/f", "3")}});
  EXPECT_EQ(find(out, "/g").content, "2");
  EXPECT_EQ(find(out, "/g").target, "");
  EXPECT_EQ(out.size(), 2u);
}

}  // namespace
}  // namespace kdev::test
