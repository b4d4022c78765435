#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "guest/freebsd/freebsd.hpp"
#include "guest/freebsd/kernel_variables.hpp"

namespace kdev::guest {
namespace {

namespace fs = boost::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A kernel with modules and loaders, all of a few bytes.
struct FreebsdDisk : testing::Test {
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-disk-%%%%%%%%");
  FreebsdGuest guest;
  KernelArtifact kernel;
  void SetUp() override {
    for (const char* name : {"pmbr", "gptboot", "loader", "loader.efi", "loader_4th", "device.hints",
                             "defaults/loader.conf", "lua/loader.lua"})
      put(Path("boot") / name);
    for (const char* name : {"kernel/kernel", "kernel/boot/kernel/nullfs.ko",
                             "kernel/boot/kernel/nullfs.ko.debug", "own/mine.ko"})
      put(name);
    kernel.os = Os::freebsd;
    kernel.image = dir / "kernel/kernel";
    kernel.modules = dir / "kernel";
  }
  void TearDown() override { fs::remove_all(dir); }
  void put(const Path& name) {
    fs::create_directories((dir / name).parent_path());
    local_host()->write_file(dir / name, name.string());
  }
  BootPlan plan(const std::string& cmdline, BootPlan::Kind kind = BootPlan::Kind::disk_bios) {
    for (const BootPlan& p : guest.boot_plans({.kernel = kernel, .cmdline = cmdline, .loaders = true}))
      if (p.kind == kind) return p;
    throw std::runtime_error("no such plan");
  }
  DiskLayout layout(const std::string& cmdline, std::uint64_t swap = 1u << 30) {
    const BootPlan p = plan(cmdline);
    return guest.disk_layout({.kernel = kernel, .plan = p, .boot = dir / "boot", .swap = swap});
  }
  static std::vector<std::string> paths(const std::vector<ImageEntry>& entries) {
    std::vector<std::string> paths;
    for (const ImageEntry& e : entries) paths.push_back(e.path);
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  static std::string content(const std::vector<ImageEntry>& entries, const std::string& path) {
    for (const ImageEntry& e : entries)
      if (e.path == path) return e.content;
    return "no " + path;
  }
};

TEST_F(FreebsdDisk, DirectComesFirstAndDisksOnlyWithLoaders) {
  std::vector<BootPlan::Kind> kinds;
  for (const BootPlan& p : guest.boot_plans({.kernel = kernel, .cmdline = "", .loaders = true}))
    kinds.push_back(p.kind);
  EXPECT_THAT(kinds, ElementsAre(BootPlan::Kind::direct_multiboot, BootPlan::Kind::disk_bios,
                                 BootPlan::Kind::disk_uefi));
  EXPECT_EQ(guest.boot_plans({.kernel = kernel, .cmdline = ""}).size(), 1u);
}

TEST_F(FreebsdDisk, BothFirmwaresFindTheirLoaderOnIt) {
  const DiskLayout disk = layout("");
  EXPECT_EQ(disk.boot_code, dir / "boot/pmbr");
  std::vector<std::string> partitions;
  for (const DiskPartition& p : disk.partitions) partitions.push_back(p.type + "/" + p.label);
  EXPECT_THAT(partitions,
              ElementsAre("freebsd-boot/bootfs", "efi/efiesp", "freebsd-swap/swapfs", "freebsd-ufs/rootfs"));
  EXPECT_EQ(std::get<Path>(disk.partitions[0].content), dir / "boot/gptboot");
  EXPECT_THAT(paths(std::get<DiskPartition::Fat>(disk.partitions[1].content).entries),
              ElementsAre("/EFI/BOOT/BOOTX64.EFI"));
  EXPECT_EQ(std::get<DiskPartition::Blank>(disk.partitions[2].content).size, 1u << 30);
  EXPECT_THAT(paths(disk.defaults),
              ElementsAre("/boot/defaults/loader.conf", "/boot/device.hints", "/boot/loader",
                          "/boot/loader.efi", "/boot/lua/loader.lua", "/etc/fstab"));
  EXPECT_THAT(paths(disk.entries),
              ElementsAre("/boot/kernel/kernel", "/boot/kernel/nullfs.ko", "/boot/loader.conf.d/kdev.conf"));
}

TEST_F(FreebsdDisk, WithoutSwapThereIsNone) {
  const DiskLayout disk = layout("", 0);
  EXPECT_EQ(disk.partitions.size(), 3u);
  EXPECT_THAT(content(disk.defaults, "/etc/fstab"), Not(HasSubstr("swap")));
}

TEST_F(FreebsdDisk, VariablesGoIntoItsLoaderConf) {
  const DiskLayout disk = layout("-v -s kern.maxusers=64 nullfs_load=YES mine_load=YES mine_name=" +
                                 (dir / "own/mine.ko").string());
  const std::string conf = content(disk.entries, "/boot/loader.conf.d/kdev.conf");
  EXPECT_THAT(conf, HasSubstr("kern.maxusers=\"64\"\n"));
  EXPECT_THAT(conf, HasSubstr("boot_verbose=\"YES\"\n"));
  EXPECT_THAT(conf, HasSubstr("boot_single=\"YES\"\n"));
  EXPECT_THAT(conf, HasSubstr("nullfs_load=\"YES\"\n"));
  EXPECT_THAT(conf, HasSubstr("mine_name=\"/boot/modules/mine.ko\"\n"));
  EXPECT_THAT(conf, HasSubstr("init_path=\"/init\"\n"));
  EXPECT_THAT(paths(disk.entries), testing::Contains("/boot/modules/mine.ko"));
}

TEST_F(FreebsdDisk, AMissingLoaderIsNamed) {
  fs::remove(dir / "boot/gptboot");
  try {
    layout("");
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), HasSubstr((dir / "boot/gptboot").string()));
  }
}

TEST_F(FreebsdDisk, AnotherKernelHasAFolderOfItsOwn) {
  EXPECT_THAT(paths(guest.kernel_entries(kernel, "dev")),
              ElementsAre("/boot/dev/kernel", "/boot/dev/nullfs.ko"));
}

TEST_F(FreebsdDisk, TheImagesLoaderConfHoldsForADirectBoot) {
  const std::string conf =
      "autoboot_delay=\"3\"\nkernel=\"other\"\nboot_verbose=\"YES\"\nkern.maxusers=\"64\" # "
      "few\nnullfs_load=\"YES\"\nx=\"1\"\n";
  const auto plans =
      guest.boot_plans({.kernel = kernel, .cmdline = "x=2", .text = [&](const std::string& path) {
                          return path == "/boot/loader.conf" ? conf : "";
                        }});
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0].environment.at("kern.maxusers"), "64");
  EXPECT_EQ(plans[0].environment.at("x"), "2") << "what is said for this boot counts";
  EXPECT_THAT(plans[0].environment, Not(testing::Contains(testing::Key("kernel"))));
  EXPECT_THAT(plans[0].environment, Not(testing::Contains(testing::Key("autoboot_delay"))));
  EXPECT_THAT(plans[0].modules, ElementsAre(dir / "kernel/boot/kernel/nullfs.ko"));
}

TEST(FreebsdVariables, WhatLoaderConfCannotSayIsRefused) {
  EXPECT_EQ(loader_conf_text({{"b", "2"}, {"a", "1 2"}}, "-d"), "a=\"1 2\"\nb=\"2\"\nboot_ddb=\"YES\"\n");
  EXPECT_THROW(loader_conf_text({{"a", "say \"x\""}}, ""), ConfigError);
  EXPECT_THROW(loader_conf_text({{"a", "x\nb=1"}}, ""), ConfigError);
}

}  // namespace
}  // namespace kdev::guest
