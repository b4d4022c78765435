#include "image/boot_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using guest::DiskLayout;
using guest::DiskPartition;
using testing::HasSubstr;

/// Tools that only leave what they were given; makefs behind a superblock.
struct BootDisk : testing::Test {
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-boot-disk-%%%%%%%%");
  DiskLayout layout;
  SeedImage image;
  void SetUp() override {
    fs::create_directories(dir);
    script("makefs",
           "for last; do prev=$image; image=$last; done\n"
           "{ head -c 66536 /dev/zero; printf '\\000\\000\\001\\000\\000\\000\\000\\000'; head -c 364 "
           "/dev/zero;\n"
           "  printf '\\031\\001\\124\\031'; echo \"$@\"; cat \"$last\"; } > \"$prev\"\n");
    script("mkimg",
           "parts=; for a; do case $a in *:=*) parts=\"$parts ${a#*:=}\";; esac; last=$a; done\n"
           "{ echo \"$@\"; cat $parts | tr -d '\\000'; } > \"$last\"\n");
    local_host()->write_file(dir / "pmbr", "pmbr");
    local_host()->write_file(dir / "gptboot", "this is gptboot");
    layout.boot_code = dir / "pmbr";
    layout.partitions = {
        {"freebsd-boot", "bootfs", dir / "gptboot"},
        {"efi", "efiesp",
         DiskPartition::Fat{{{.path = "/EFI/BOOT/BOOTX64.EFI", .mode = 0644, .content = "efi"}}, 33u << 20}},
        {"freebsd-swap", "swapfs", DiskPartition::Blank{1u << 30}},
        {"freebsd-ufs", "rootfs", DiskPartition::Root{}}};
    layout.defaults = {{.path = "/etc/fstab", .mode = 0644, .content = "the default"},
                       {.path = "/boot/loader", .mode = 0444, .content = "l"}};
    layout.entries = {{.path = "/boot/kernel/kernel", .mode = 0555, .content = "k"}};
    UserlandArtifact userland;
    userland.root = dir / "root";
    userland.makefs = dir / "makefs";
    userland.mkimg = dir / "mkimg";
    fs::create_directories(userland.root / "boot/kernel");
    local_host()->write_file(userland.root / "boot/kernel/kernel", "an old one");
    image = SeedImage::userland(userland);
  }
  void TearDown() override { fs::remove_all(dir); }
  void script(const char* name, const std::string& text) {
    local_host()->write_file(dir / name, "#!/bin/sh\nset -e\n" + text);
    ::chmod((dir / name).c_str(), 0755);
  }
  Path make() { return realize_boot_disk(image, layout, dir / "cache", {}); }
  std::vector<std::string> left() {
    std::vector<std::string> names;
    if (fs::exists(dir / "cache"))
      for (const auto& e : fs::directory_iterator(dir / "cache"))
        names.push_back(e.path().filename().string());
    return names;
  }
};

TEST_F(BootDisk, HoldsItsPartitionsInOrder) {
  const std::string text = local_host()->read_file(make());
  EXPECT_THAT(text, HasSubstr("-s gpt -f raw -b " + (dir / "pmbr").string() +
                              " -p freebsd-boot/bootfs:=" + (dir / "gptboot").string() + " -p efi/efiesp:="));
  EXPECT_THAT(text, HasSubstr(" -p freebsd-swap/swapfs::1073741824 -p freebsd-ufs/rootfs:="));
  EXPECT_THAT(text, HasSubstr("this is gptboot"));
  EXPECT_THAT(text, HasSubstr("-t msdos -o fat_type=32,sectors_per_cluster=1 -s 34603008"));
  EXPECT_THAT(text, HasSubstr("./EFI/BOOT/BOOTX64.EFI type=file"));
  EXPECT_THAT(text, HasSubstr("version=2,softupdates=1"));
  EXPECT_THAT(text, HasSubstr("./boot/loader type=file uid=0 gid=0 mode=0444"));
  EXPECT_THAT(text, HasSubstr("./boot/kernel/kernel type=file uid=0 gid=0 mode=0555"))
      << "the layout's, over the image's";
}

TEST_F(BootDisk, IsMadeOnceForTheSameContent) {
  const Path one = make();
  local_host()->write_file(one, "a guest's");
  EXPECT_EQ(make(), one);
  EXPECT_EQ(local_host()->read_file(one), "a guest's");
  image = image.add_content("mine", "/etc/fstab");
  const Path other = make();
  EXPECT_NE(other, one) << "what the image holds lies over the layout's defaults";
  local_host()->write_file(dir / "gptboot", "another gptboot");
  EXPECT_NE(make(), other);
  EXPECT_EQ(left().size(), 3u) << "no temporary folders";
}

TEST_F(BootDisk, AFailureLeavesNothing) {
  script("mkimg", "echo 'mkimg: no room' >&2; exit 1\n");
  try {
    make();
    FAIL();
  } catch (const HostError& e) {
    EXPECT_THAT(e.what(), HasSubstr("no room"));
  }
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(BootDisk, AnArchiveIsRefused) {
  SeedImage::from_entries({{.path = "/x", .mode = 0644, .content = "x"}}).write(dir / "x.cpio");
  image = SeedImage::archive(dir / "x.cpio");
  EXPECT_THROW(make(), Error);
}

}  // namespace
}  // namespace kdev
