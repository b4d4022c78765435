#include "image/ufs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "image/makefs.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using Type = ImageEntry::Type;

TEST(MakefsManifest, NamesEverythingButDevices) {
  const std::vector<ImageEntry> entries = {
      {.type = Type::dir, .path = "/", .mode = 0700},
      {.type = Type::dir, .path = "/bin", .mode = 0755},
      {.path = "/bin/a b#=\\", .mode = 04555, .uid = 1, .gid = 2, .content = "x"},
      {.path = "/bin/same", .target = "/bin/a b#=\\"},
      {.type = Type::symlink, .path = "/bin/sh", .mode = 0777, .target = "a b"},
      {.type = Type::node, .path = "/dev/null", .mode = 0666, .device = 'c', .major = 1, .minor = 3}};
  EXPECT_EQ(makefs_manifest(entries, {"", "", "2", "2", "", ""}),
            "#mtree\n"
            ". type=dir uid=0 gid=0 mode=0755\n"
            "./bin type=dir uid=0 gid=0 mode=0755\n"
            "./bin/a\\040b\\043\\075\\134 type=file uid=1 gid=2 mode=4555 contents=2\n"
            "./bin/same type=file uid=0 gid=0 mode=0000 contents=2\n"
            "./bin/sh type=link uid=0 gid=0 mode=0777 link=a\\040b\n");
}

/// A makefs that only leaves what it was given: behind a superblock, or behind none.
struct UfsTest : testing::Test {
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-ufs-%%%%%%%%");
  UfsOptions options;
  SeedImage image = SeedImage::from_entries({{.path = "/etc/motd", .mode = 0644, .content = "hi"}});
  void SetUp() override {
    fs::create_directories(dir);
    options.makefs = dir / "makefs";
    makefs(
        "head -c 66536 /dev/zero; printf '\\000\\000\\001\\000\\000\\000\\000\\000'; head -c 364 /dev/zero;"
        "printf '\\031\\001\\124\\031'");
  }
  void TearDown() override { fs::remove_all(dir); }
  void makefs(const std::string& superblock) {
    local_host()->write_file(options.makefs,
                             "#!/bin/sh\nset -e\n"
                             "for last; do prev=$image; image=$last; done\n"
                             "{ " +
                                 superblock + "; echo \"$@\"; cat \"$last\"; } > \"$prev\"\n");
    ::chmod(options.makefs.c_str(), 0755);
  }
  std::vector<std::string> left() {
    std::vector<std::string> names;
    if (fs::exists(dir / "cache"))
      for (const auto& e : fs::directory_iterator(dir / "cache"))
        names.push_back(e.path().filename().string());
    return names;
  }
};

TEST_F(UfsTest, IsMadeOnceForTheSameContent) {
  const Path one = realize_ufs(image, dir / "cache", options, {});
  const std::string text = local_host()->read_file(one).substr(66908);
  EXPECT_THAT(text, HasSubstr("-t ffs -Z -B little -o version=2,softupdates=0 -b 33554432"));
  EXPECT_THAT(text, HasSubstr("./etc/motd type=file uid=0 gid=0 mode=0644 contents="));
  EXPECT_EQ(realize_ufs(image, dir / "cache", options, {}), one);
  EXPECT_NE(realize_ufs(image.add_content("x", "/x"), dir / "cache", options, {}), one);
  options.free_bytes = 1u << 20;
  EXPECT_NE(realize_ufs(image, dir / "cache", options, {}), one);
  EXPECT_EQ(left().size(), 3u) << "no temporary folders";
}

TEST_F(UfsTest, AFailureLeavesNothing) {
  makefs("echo 'Unknown option' >&2; exit 3");
  try {
    realize_ufs(image, dir / "cache", options, {});
    FAIL() << "no HostError";
  } catch (const HostError& e) {
    EXPECT_THAT(e.what(), HasSubstr("Unknown option"));
    EXPECT_THAT(e.what(), HasSubstr("KDEV_MAKEFS"));
  }
  EXPECT_THAT(left(), IsEmpty());
  makefs("head -c 70000 /dev/zero");
  try {
    realize_ufs(image, dir / "cache", options, {});
    FAIL() << "no HostError";
  } catch (const HostError& e) {
    EXPECT_THAT(e.what(), HasSubstr("no UFS2 that kernels take"));
  }
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(UfsTest, AnArchiveIsForOtherKernels) {
  image.write(dir / "a.cpio");
  EXPECT_THROW(realize_ufs(SeedImage::archive(dir / "a.cpio"), dir / "cache", options, {}), ConfigError);
}

}  // namespace
}  // namespace kdev
