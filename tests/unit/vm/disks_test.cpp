#include "vm/disks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "host/sparse_file.hpp"
#include "hypervisor/qemu/qemu.hpp"

using namespace kdev;
namespace fs = boost::filesystem;
using Format = hypervisor::MachineDisk::Format;

namespace {

class VmDisks : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / fs::unique_path("kdev-disks-%%%%%%%%");
    fs::create_directories(dir_ / "vm");
  }
  void TearDown() override { fs::remove_all(dir_); }
  std::vector<hypervisor::MachineDisk> prepare(const std::vector<Disk>& disks) {
    return vm::prepare_disks(disks, dir_ / "vm", qemu_, {});
  }
  void need_qemu_img() {
    if (!local_host()->which("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  }
  std::string virtual_size(const Path& file) {
    return local_host()->run(Command{.argv = {"qemu-img", "info", file.string()}}).out;
  }
  Path dir_;
  hypervisor::Qemu qemu_;
};

TEST_F(VmDisks, ABlankOneTakesNoSpaceAndStaysFromBootToBoot) {
  const auto disks = prepare({Disk::blank("1G")});
  ASSERT_EQ(disks.size(), 1u);
  EXPECT_EQ(disks[0].file.parent_path(), dir_ / "vm");
  EXPECT_EQ(fs::file_size(disks[0].file), 1u << 30);
  EXPECT_LT(real_size(disks[0].file), 1u << 20);
  local_host()->write_file(disks[0].file, "written");
  prepare({Disk::blank("1G")});
  EXPECT_EQ(local_host()->read_file(disks[0].file), "written");
}

TEST_F(VmDisks, AFileIsWrittenBesideUnlessItIsKept) {
  need_qemu_img();
  local_host()->write_file(dir_ / "seed.raw", std::string(1 << 20, 's'));
  const auto disks = prepare({{.file = dir_ / "seed.raw", .size = "8M"},
                              {.file = dir_ / "seed.raw", .read_only = true},
                              {.file = dir_ / "kept.qcow2", .size = "2M", .keep = true}});
  ASSERT_EQ(disks.size(), 3u);
  EXPECT_EQ(disks[0].format, Format::qcow2);
  EXPECT_EQ(disks[0].file.parent_path(), dir_ / "vm");
  EXPECT_THAT(virtual_size(disks[0].file), ::testing::HasSubstr("8 MiB"));
  EXPECT_EQ(disks[1].file, dir_ / "seed.raw") << "nobody writes to it";
  EXPECT_EQ(disks[1].format, Format::raw);
  EXPECT_EQ(disks[2].file, dir_ / "kept.qcow2");
  EXPECT_TRUE(disks[2].keep);
  EXPECT_EQ(fs::file_size(dir_ / "seed.raw"), 1u << 20);
}

TEST_F(VmDisks, AKeptOneGrowsAndNeverShrinks) {
  need_qemu_img();
  prepare({{.file = dir_ / "kept.raw", .size = "2M", .keep = true}});
  prepare({{.file = dir_ / "kept.raw", .size = "4M", .keep = true}});
  EXPECT_EQ(fs::file_size(dir_ / "kept.raw"), 4u << 20);
  EXPECT_THROW(prepare({{.file = dir_ / "kept.raw", .size = "3M", .keep = true}}), ConfigError);
  EXPECT_EQ(fs::file_size(dir_ / "kept.raw"), 4u << 20);
}

TEST_F(VmDisks, WhatCannotBeIsToldBeforeAnythingStarts) {
  EXPECT_THROW(prepare({Disk{}}), ConfigError);
  EXPECT_THROW(prepare({{.file = dir_ / "nope.raw"}}), ConfigError);
  EXPECT_THROW(prepare({{.file = dir_ / "nope.raw", .size = "1G"}}), ConfigError)
      << "only one that is kept is made";
  EXPECT_THROW(prepare({Disk::blank("much")}), ConfigError);
  EXPECT_THROW(prepare({{.size = "1M", .serial = "a serial that is too long"}}), ConfigError);
}

TEST(Disk, IsAValue) {
  const Disk disk{.file = "/d/x.raw", .size = "2G", .keep = true, .read_only = false, .serial = "s"};
  EXPECT_EQ(Disk::from_json(disk.to_json()), disk);
  EXPECT_NE(disk, Disk::blank("2G"));
}

}  // namespace
