// What is written: newc as the kernel reads it, the same bytes from the same input.
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "unit/image/image_test.hpp"
#include "unit/image/newc_bytes.hpp"

namespace kdev::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WriteImage : public ImageTest {
 protected:
  std::string bytes(const SeedImage& image) {
    image.write(dir / "out.cpio");
    return slurp(dir / "out.cpio");
  }
};

std::vector<ImageEntry> every_kind() {
  return {
      {.type = Type::dir, .path = "/d", .mode = 01777, .uid = 1, .gid = 2},
      {.path = "/d/file", .mode = 04755, .uid = 3, .gid = 4, .content = "hello"},
      {.path = "/d/empty", .mode = 0600},
      {.type = Type::node,
       .path = "/d/char",
       .mode = 0620,
       .gid = 5,
       .device = 'c',
       .major = 4,
       .minor = 300},
      {.type = Type::node, .path = "/d/block", .mode = 0660, .device = 'b', .major = 259, .minor = 1048575},
      {.type = Type::symlink, .path = "/d/link", .mode = 0777, .target = "../nowhere"},
      {.type = Type::pipe, .path = "/d/pipe", .mode = 0600},
      {.type = Type::socket, .path = "/d/sock", .mode = 0755},
      {.path = "/h1", .mode = 0644, .content = "linked"},
      {.path = "/h2", .mode = 0644, .target = "/h1"},
      {.path = "/a-h3", .mode = 0644, .target = "/h1"}};
}

TEST_F(WriteImage, EveryFieldStandsInItsPlace) {
  const auto e = parse_newc(bytes(SeedImage::from_entries(every_kind())));
  ASSERT_EQ(e.size(), 12u);
  auto check = [&](std::size_t i, const char* name, unsigned long mode, unsigned long uid, unsigned long gid,
                   unsigned long links, const char* data) {
    EXPECT_EQ(e[i].name, name);
    EXPECT_EQ(e[i].mode, mode) << name;
    EXPECT_EQ(e[i].uid, uid) << name;
    EXPECT_EQ(e[i].gid, gid) << name;
    EXPECT_EQ(e[i].links, links) << name;
    EXPECT_EQ(e[i].mtime, 0u) << name;
    EXPECT_EQ(e[i].data, data) << name;
  };
  check(0, "a-h3", S_IFREG | 0644, 0, 0, 3, "");
  check(1, "d", S_IFDIR | 01777, 1, 2, 2, "");
  check(2, "d/block", S_IFBLK | 0660, 0, 0, 1, "");
  check(3, "d/char", S_IFCHR | 0620, 0, 5, 1, "");
  check(4, "d/empty", S_IFREG | 0600, 0, 0, 1, "");
  check(5, "d/file", S_IFREG | 04755, 3, 4, 1, "hello");
  check(6, "d/link", S_IFLNK | 0777, 0, 0, 1, "../nowhere");
  check(7, "d/pipe", S_IFIFO | 0600, 0, 0, 1, "");
  check(8, "d/sock", S_IFSOCK | 0755, 0, 0, 1, "");
  check(9, "h1", S_IFREG | 0644, 0, 0, 3, "");
  check(10, "h2", S_IFREG | 0644, 0, 0, 3, "linked");
  EXPECT_EQ(e[11].name, "TRAILER!!!");
  EXPECT_EQ(e[2].rdev_major, 259u);
  EXPECT_EQ(e[2].rdev_minor, 1048575u);
  EXPECT_EQ(e[3].rdev_minor, 300u);
  EXPECT_EQ(e[0].inode, e[9].inode);
  EXPECT_EQ(e[9].inode, e[10].inode);
  std::set<unsigned long> inodes;
  for (std::size_t i = 0; i < 11; ++i) inodes.insert(e[i].inode);
  EXPECT_EQ(inodes.size(), 9u) << "one a file";
}

TEST_F(WriteImage, NamesAreBytes) {
  // No UTF-8, and a name as long as the kernel takes.
  const std::string strange = "\xff\xfe name", longest(250, 'n');
  const auto e = parse_newc(bytes(
      SeedImage::from_entries({{.path = "/" + strange, .content = "1"},
                               {.path = "/" + longest, .content = "2"},
                               {.type = Type::symlink, .path = "/s", .mode = 0777, .target = strange}})));
  ASSERT_EQ(e.size(), 4u);
  EXPECT_EQ(e[0].name, longest);
  EXPECT_EQ(e[1].data, strange);
  EXPECT_EQ(e[2].name, strange);
  EXPECT_EQ(list_archive(dir / "out.cpio")[2].path, "/" + strange);
}

class SameBytes : public WriteImage, public ::testing::WithParamInterface<Compression> {};
INSTANTIATE_TEST_SUITE_P(, SameBytes,
                         ::testing::Values(Compression::none, Compression::gzip, Compression::zstd));

TEST_P(SameBytes, WhateverUmaskTimeFolderAndOrder) {
  for (const char* side : {"a", "b"}) {
    const std::string s = side;
    // The second tree is made in another order, later, with other times.
    std::vector<std::string> names = {"x", "sub/y", "sub/z", "0"};
    if (s == "b") std::reverse(names.begin(), names.end());
    for (const std::string& n : names) put(s + "/" + n, "content of " + n);
    if (s == "b") fs::last_write_time(dir / "b/x", 1);
    for (const std::string& n : names) fs::permissions(dir / s / n, static_cast<fs::perms>(0640));
    fs::permissions(dir / s / "sub", static_cast<fs::perms>(0750));
  }
  const Path before = fs::current_path();
  const mode_t umask_before = ::umask(077);
  SeedImage::directory(dir / "a").compress(GetParam()).write(dir / "1.img");
  ::umask(0);
  fs::current_path(dir / "b");
  SeedImage::directory(".").compress(GetParam()).write("../2.img");
  fs::current_path(before);
  ::umask(umask_before);
  ::sleep(GetParam() == Compression::gzip ? 1 : 0);  // its header could hold a time in seconds
  SeedImage::directory(dir / "b").compress(GetParam()).write(dir / "3.img");
  EXPECT_FALSE(slurp(dir / "1.img").empty());
  EXPECT_EQ(slurp(dir / "1.img"), slurp(dir / "2.img"));
  EXPECT_EQ(slurp(dir / "1.img"), slurp(dir / "3.img"));
}

TEST_P(SameBytes, ListsTheSame) {
  const SeedImage image = SeedImage::from_entries(every_kind());
  image.compress(GetParam()).write(dir / "c.img");
  std::vector<ImageEntry> want = image.entries();
  for (ImageEntry& e : want) e.content.clear();
  std::vector<ImageEntry> got = list_archive(dir / "c.img");
  // An archive's first name of a file is the first in it.
  for (auto* list : {&want, &got})
    for (ImageEntry& e : *list)
      if (e.path.find("/h") == 0 || e.path == "/a-h3") e.target = "one of them";
  EXPECT_EQ(got, want);
}

TEST_F(WriteImage, HardLinksOfADirectoryStayLinks) {
  put("t/one", "data");
  fs::create_hard_link(dir / "t/one", dir / "t/two");
  fs::create_directory(dir / "t/sub");
  fs::create_hard_link(dir / "t/one", dir / "t/sub/three");
  const auto e = parse_newc(bytes(SeedImage::directory(dir / "t")));
  ASSERT_EQ(e.size(), 5u);
  EXPECT_EQ(e[0].inode, e[3].inode);
  EXPECT_EQ(e[2].name, "sub/three");
  EXPECT_EQ(e[0].links, 3u);
  EXPECT_EQ(e[0].data + e[2].data, "");
  EXPECT_EQ(e[3].data, "data");
}

TEST_F(WriteImage, ADirectorysLinksPipesAndModesAreKept) {
  put("t/f", "x");
  fs::permissions(dir / "t/f", static_cast<fs::perms>(04711));
  fs::create_symlink("/abs/olute", dir / "t/link");
  ASSERT_EQ(::mkfifo((dir / "t/pipe").c_str(), 0622), 0);
  ASSERT_EQ(::mknod((dir / "t/sock").c_str(), S_IFSOCK | 0600, 0), 0);
  const auto e = SeedImage::directory(dir / "t").entries();
  EXPECT_EQ(find(e, "/f").mode, 04711u);
  EXPECT_EQ(find(e, "/link").target, "/abs/olute");
  EXPECT_EQ(find(e, "/pipe").type, Type::pipe);
  EXPECT_EQ(find(e, "/sock").type, Type::socket);
}

TEST_F(WriteImage, SparseFilesAreReadAsWhatTheyHold) {
  put("t/sparse", "");
  fs::resize_file(dir / "t/sparse", 3'000'000);
  const auto e = parse_newc(bytes(SeedImage::directory(dir / "t")));
  EXPECT_EQ(e[0].data, std::string(3'000'000, '\0'));
}

TEST_F(WriteImage, BigFilesAreStreamed) {
  put("t/big", "");
  fs::resize_file(dir / "t/big", 300u << 20);
  auto peak = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    return 0l;
  };
  const long before = peak();
  SeedImage::directory(dir / "t").compress(Compression::zstd).write(dir / "out.img");
  EXPECT_EQ(list_archive(dir / "out.img")[0].size, 300u << 20);
  EXPECT_LT(peak() - before, 150'000) << "KiB";
}

TEST_F(WriteImage, FourGibibytesAreTooMuchForTheFormat) {
  put("t/huge", "");
  fs::resize_file(dir / "t/huge", 4ull << 30);
  EXPECT_THAT(failure<ConfigError>([&] { SeedImage::directory(dir / "t").write(dir / "out.img"); }),
              HasSubstr("4 GiB"));
  EXPECT_THAT(names_in(dir), ElementsAre("t"));
}

TEST_F(WriteImage, WhatIsMissingIsNamedAndNothingIsLeft) {
  const SeedImage image = SeedImage::from_entries({{.path = "/x", .source = dir / "nope"}});
  EXPECT_THAT(failure<HostError>([&] { image.write(dir / "out.img"); }), HasSubstr((dir / "nope").string()));
  EXPECT_THAT(failure<HostError>([&] { image.entries(); }), HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage::directory(dir / "nope"); }), HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage::archive(dir / "nope"); }), HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage::list(dir / "nope"); }), HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage::initramfs(dir / "nope"); }), HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage().add_file(dir / "nope", "/x"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage().add_file(dir, "/x"); }), HasSubstr("directory"));
  put("file", "x");
  EXPECT_THAT(failure<HostError>([&] { SeedImage::directory(dir / "file"); }), HasSubstr("Not a directory"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage().write(dir / "no/such/folder/x"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(failure<HostError>([&] { SeedImage().write(dir); }), HasSubstr("Is a directory"));
  EXPECT_THAT(names_in(dir), ElementsAre("file"));
}

TEST_F(WriteImage, AStopLeavesTheOldFile) {
  put("t/big", "");
  fs::resize_file(dir / "t/big", 50u << 20);
  put("out.img", "old");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(SeedImage::directory(dir / "t").write(dir / "out.img", Deadline::never(stop.get_token())),
               Interrupted);
  EXPECT_THROW(SeedImage::directory(dir / "t").write(dir / "out.img", Deadline::after(Seconds{0})),
               TimeoutError);
  EXPECT_EQ(slurp(dir / "out.img"), "old");
  EXPECT_THAT(names_in(dir), ElementsAre("out.img", "t"));
}

TEST_F(WriteImage, AdditionsGoBehindAnArchive) {
  // An odd length: the kernel wants the second one at a multiple of four.
  const std::string first =
      bytes(SeedImage::from_entries({{.path = "/a", .content = "1"}}).compress(Compression::gzip));
  put("first.gz", first + std::string(first.size() % 4 == 1 ? 0 : 1, '\0'));
  const SeedImage image = SeedImage::archive(dir / "first.gz").add_content("two", "/b");
  const std::string both = bytes(image);
  const std::size_t second = both.find("070701");
  ASSERT_NE(second, std::string::npos);
  EXPECT_EQ(second % 4, 0u);
  EXPECT_EQ(parse_newc(both.substr(second))[0].data, "two");
  EXPECT_THAT(paths_of(list_archive(dir / "out.cpio")), ElementsAre("/a", "/b"));
  EXPECT_THAT(paths_of(image.entries()), ElementsAre("/a", "/b"));
}

TEST_F(WriteImage, AnArchiveAloneIsCopiedAsItIs) {
  const Path a =
      put("a.cpio", newc_entry("x", S_IFREG | 0644, "y") + newc_trailer() + std::string(400, '\0'));
  EXPECT_EQ(bytes(SeedImage::archive(a)), slurp(a));
}

TEST_F(WriteImage, ModulesGoWhereModprobeLooks) {
  put("mods/lib/modules/6.1.0/kernel/fs/x.ko", "module");
  put("mods/lib/modules/6.1.0/modules.dep", "kernel/fs/x.ko:\n");
  fs::create_symlink("/elsewhere", dir / "mods/lib/modules/6.1.0/build");
  KernelArtifact kernel;
  kernel.release = "6.1.0";
  kernel.modules = dir / "mods";
  ModuleArtifact module;
  module.ko = put("out/my_mod.ko", "mine");
  const auto e = SeedImage().add_modules(kernel).add_module(module).entries();
  EXPECT_THAT(paths_of(e),
              ElementsAre("/lib", "/lib/modules", "/lib/modules/6.1.0", "/lib/modules/6.1.0/kernel",
                          "/lib/modules/6.1.0/kernel/fs", "/lib/modules/6.1.0/kernel/fs/x.ko",
                          "/lib/modules/6.1.0/modules.dep", "/m", "/m/my_mod.ko"));
  // Wherever the guest has them; what is a link in the image stays one.
  put("others/boot/kernel/if_x.ko", "module");
  fs::create_symlink("if_x.ko", dir / "others/boot/kernel/x.ko");
  fs::create_hard_link(dir / "others/boot/kernel/if_x.ko", dir / "others/boot/kernel/if_y.ko");
  kernel.modules = dir / "others";
  const auto others = SeedImage().add_modules(kernel).entries();
  EXPECT_THAT(paths_of(others), ElementsAre("/boot", "/boot/kernel", "/boot/kernel/if_x.ko",
                                            "/boot/kernel/if_y.ko", "/boot/kernel/x.ko"));
  EXPECT_EQ(others[3].target, "/boot/kernel/if_x.ko");
  EXPECT_EQ(others[4].target, "if_x.ko");
  const ImageEntry link{
      .type = ImageEntry::Type::symlink, .path = "/boot", .mode = 0777, .target = "usr/boot"};
  EXPECT_THAT(paths_of(SeedImage::from_entries({link}).add_modules(kernel).entries()),
              ElementsAre("/boot", "/usr", "/usr/boot", "/usr/boot/kernel", "/usr/boot/kernel/if_x.ko",
                          "/usr/boot/kernel/if_y.ko", "/usr/boot/kernel/x.ko"));
  kernel.modules.clear();
  EXPECT_TRUE(SeedImage().add_modules(kernel).entries().empty());
}

TEST_F(WriteImage, AListOfItMakesItAgain) {
  const Path program = put("program", "the program");
  const SeedImage image = SeedImage::from_entries(every_kind()).add_file(program, "/bin/p", 0755);
  image.write_list(dir / "image.list");
  const SeedImage again = SeedImage::list(dir / "image.list");
  EXPECT_EQ(bytes(image), bytes(again));
  EXPECT_THROW(SeedImage::archive(dir / "out.cpio").write_list(dir / "x"), ConfigError);
}

TEST_F(WriteImage, RandomTreesComeBackWhole) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    const std::string t = "t" + std::to_string(round);
    fs::create_directory(dir / t);
    std::vector<std::string> folders = {t}, files;
    for (unsigned i = 0, n = random() % 40; i < n; ++i) {
      const std::string path = folders[random() % folders.size()] + "/n" + std::to_string(i);
      switch (random() % 4) {
        case 0:
          fs::create_directory(dir / path);
          folders.push_back(path);
          break;
        case 1:
          fs::create_symlink("target" + std::to_string(i), dir / path);
          break;
        case 2:
          if (!files.empty()) {
            fs::create_hard_link(dir / files[random() % files.size()], dir / path);
            break;
          }
          [[fallthrough]];
        default:
          put(path, std::string(random() % 5000, static_cast<char>(random())));
          files.push_back(path);
      }
    }
    const SeedImage image = SeedImage::directory(dir / t).compress(static_cast<Compression>(round % 3));
    image.write(dir / "out.img");
    unpack_archive(dir / "out.img", dir / (t + "-again"));
    EXPECT_EQ(bytes(SeedImage::directory(dir / t)), bytes(SeedImage::directory(dir / (t + "-again"))))
        << "round " << round;
  }
}

}  // namespace
}  // namespace kdev::test
