// gen_init_cpio's list format.
#include <random>

#include "unit/image/image_test.hpp"

namespace kdev::test {
namespace {

using ::testing::HasSubstr;

const Path kGolden = Path(KDEV_GOLDEN_DIR) / "image";

class GoldenLists : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, GoldenLists, ::testing::Values("seed", "all"),
                         [](const auto& info) { return info.param; });

/// What the archive holds, whatever the order.
std::vector<ImageEntry> sorted_list(const Path& archive) {
  std::vector<ImageEntry> entries = list_archive(archive);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

TEST_P(GoldenLists, GiveTheEntriesOfTheKernelsOwnTool) {
  ::setenv("KDEV_GOLDEN_IMAGES", kGolden.c_str(), 1);
  const Path out = fs::temp_directory_path() / fs::unique_path("kdev-list-%%%%%%%%.cpio");
  SeedImage::list(kGolden / (std::string(GetParam()) + ".list")).write(out);
  EXPECT_EQ(sorted_list(out), sorted_list(kGolden / (std::string(GetParam()) + ".cpio")));
  fs::remove(out);
}

TEST_P(GoldenLists, ComeBackFromTheirOwnFormat) {
  ::setenv("KDEV_GOLDEN_IMAGES", kGolden.c_str(), 1);
  const SeedImage image = SeedImage::list(kGolden / (std::string(GetParam()) + ".list"));
  std::vector<ImageEntry> again = parse_list(format_list(image.entries()), "/nowhere");
  std::sort(again.begin(), again.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  for (ImageEntry& e : again) e.size = find(image.entries(), e.path).size;
  EXPECT_EQ(again, image.entries());
}

TEST(ListFormat, SeedExampleLineByLine) {
  const auto e = parse_list(slurp(kGolden / "seed.list"), kGolden);
  ASSERT_EQ(e.size(), 10u);
  EXPECT_EQ(e[0], (ImageEntry{.type = Type::dir, .path = "/dev", .mode = 0755}));
  EXPECT_EQ(
      e[1],
      (ImageEntry{
          .type = Type::node, .path = "/dev/console", .mode = 0644, .device = 'c', .major = 5, .minor = 1}));
  EXPECT_EQ(
      e[2],
      (ImageEntry{
          .type = Type::node, .path = "/dev/loop0", .mode = 0644, .device = 'b', .major = 7, .minor = 0}));
  EXPECT_EQ(e[3], (ImageEntry{.type = Type::dir, .path = "/bin", .mode = 0755, .uid = 1000, .gid = 1000}));
  EXPECT_EQ(e[4], (ImageEntry{.type = Type::symlink, .path = "/bin/sh", .mode = 0777, .target = "busybox"}));
  EXPECT_EQ(e[9], (ImageEntry{.path = "/init", .mode = 0755, .source = kGolden / "initramfs/init.sh"}));
}

TEST(ListFormat, CommentsBlanksAndMissingNewline) {
  EXPECT_TRUE(parse_list("", "/").empty());
  EXPECT_TRUE(parse_list("# x\n\n   \n\t# y\n", "/").empty());
  EXPECT_EQ(parse_list("\tdir   /a\t755 0  0 ", "/").size(), 1u);
  EXPECT_EQ(parse_list("dir /a 755 0 0\r\n", "/").size(), 1u);
}

TEST(ListFormat, TypeBitsInAModeAreDropped) {
  EXPECT_EQ(parse_list("dir /a 040755 0 0", "/")[0].mode, 0755u);
}

TEST(ListFormat, VariablesAreExpanded) {
  ::setenv("KDEV_TEST_A", "/one", 1);
  ::setenv("KDEV_TEST_B", "two", 1);
  const auto e = parse_list(
      "file /f ${KDEV_TEST_A}/x${KDEV_TEST_B}$y 644 0 0\nfile /g ${KDEV_TEST_B}/z 644 0 0", "/base");
  EXPECT_EQ(e[0].source, Path("/one/xtwo$y"));
  EXPECT_EQ(e[1].source, Path("/base/two/z"));
  ::unsetenv("KDEV_TEST_C");
  EXPECT_THAT(failure<FormatError>([] { parse_list("file /f ${KDEV_TEST_C} 644 0 0", "/"); }),
              HasSubstr("KDEV_TEST_C is not set"));
}

TEST(ListFormat, HardLinksStandOnTheFilesLine) {
  const auto e = parse_list("file /f src 600 1 2 /g h", "/base");
  ASSERT_EQ(e.size(), 3u);
  EXPECT_EQ(e[1], (ImageEntry{.path = "/g", .mode = 0600, .uid = 1, .gid = 2, .target = "/f"}));
  EXPECT_EQ(e[2].path, "/h");
}

struct Bad {
  const char* text;
  const char* says;
};
class BadLists : public ::testing::TestWithParam<Bad> {};
INSTANTIATE_TEST_SUITE_P(
    , BadLists,
    ::testing::Values(
        Bad{"dri /a 755 0 0", "unknown entry type \"dri\""}, Bad{"dir /a 755 0", "too few fields"},
        Bad{"dir", "too few fields"}, Bad{"dir /a 755 0 0 0", "one field too many"},
        Bad{"dir /a 789 0 0", "\"789\" is no mode"}, Bad{"dir /a 7777777 0 0", "no mode"},
        Bad{"dir /a 755 -1 0", "\"-1\" is no user id"}, Bad{"dir /a 755 0 root", "\"root\" is no group id"},
        Bad{"dir /a 755 0 99999999999", "no group id"},
        Bad{"nod /a 600 0 0 x 1 1", "\"x\" is no device type"},
        Bad{"nod /a 600 0 0 c 5000 1", "no major number"},
        Bad{"nod /a 600 0 0 c 1 1048576", "no minor number"}, Bad{"nod /a 600 0 0 c 1", "too few fields"},
        Bad{"slink /a 777 0 0", "too few fields"}, Bad{"file /a b 644 0", "too few fields"},
        Bad{"file /a ${x 644 0 0", "no closing brace"}, Bad{"dir /a/../b 755 0 0", "\"..\""},
        Bad{"file /a b 644 0 0 ../c", "\"..\""}));

TEST_P(BadLists, NameFileAndLine) {
  const std::string what = failure<FormatError>(
      [&] { parse_list(std::string("# one\ndir /ok 755 0 0\n") + GetParam().text + "\n", "/", "my/list"); });
  EXPECT_THAT(what, HasSubstr("my/list:3: "));
  EXPECT_THAT(what, HasSubstr(GetParam().says));
}

TEST(ListFormat, WhatCannotBeWrittenIsSaid) {
  EXPECT_THAT(failure<FormatError>([] { format_list({{.type = Type::dir, .path = "/a b"}}); }),
              HasSubstr("/a b"));
  EXPECT_THAT(failure<FormatError>([] { format_list({{.path = "/a", .content = "x"}}); }),
              HasSubstr("no file"));
  EXPECT_THAT(failure<FormatError>([] { format_list({{.path = "/a", .source = "/x${y}"}}); }),
              HasSubstr("${y}"));
}

TEST(ListFormat, RandomEntriesComeBack) {
  std::mt19937 random(1);
  auto name = [&] {
    static constexpr char kLetters[] = "abcXYZ019._-+@#%\xc3\xa9\xff";
    std::string s = "/";
    for (unsigned i = 0, n = random() % 12 + 1; i < n; ++i) s += kLetters[random() % (sizeof kLetters - 1)];
    return s == "/." || s == "/.." ? std::string("/dots") : s;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<ImageEntry> entries;
    for (unsigned i = 0, n = random() % 8; i < n; ++i) {
      ImageEntry e{.type = static_cast<Type>(random() % 6),
                   .path = name(),
                   .mode = static_cast<unsigned>(random() % 010000),
                   .uid = static_cast<unsigned>(random()),
                   .gid = static_cast<unsigned>(random())};
      if (e.type == Type::file) e.source = name();
      if (e.type == Type::symlink) e.target = name();
      if (e.type == Type::node) {
        e.device = random() % 2 ? 'b' : 'c';
        e.major = random() % 4096;
        e.minor = random() % 1048576;
      }
      entries.push_back(e);
    }
    EXPECT_EQ(parse_list(format_list(entries), "/base"), entries);
  }
}

TEST(ListFormat, NoiseIsAFormatErrorOrAList) {
  std::mt19937 random(2);
  static constexpr const char* kWords[] = {"file", "dir", "nod", "slink",   "/a", "755", "0",  "0",  "c",
                                           "1",    "${",  "}",   "${HOME}", "..", "#",   "\n", "\n", "é"};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (unsigned i = 0, n = random() % 30; i < n; ++i)
      text += std::string(kWords[random() % std::size(kWords)]) + (random() % 8 ? " " : "");
    try {
      for (const ImageEntry& e : parse_list(text, "/")) EXPECT_EQ(e.path[0], '/');
    } catch (const FormatError&) {
    }
  }
}

}  // namespace
}  // namespace kdev::test
