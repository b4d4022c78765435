#include "hypervisor/qemu/firmware.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

using namespace kdev;
namespace fs = boost::filesystem;

namespace {

/// A folder of firmware descriptions that is the only one looked at.
class QemuFirmware : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / fs::unique_path("kdev-firmware-%%%%%%%%");
    fs::create_directories(dir_);
    ::setenv("KDEV_UEFI_FIRMWARE", dir_.c_str(), 1);
    for (const char* file : {"code.fd", "vars.fd"}) local_host()->write_file(dir_ / file, file);
  }
  void TearDown() override {
    ::unsetenv("KDEV_UEFI_FIRMWARE");
    fs::remove_all(dir_);
  }
  void describe(const std::string& name, const std::string& features, const std::string& machine,
                const std::string& code = "code.fd") {
    local_host()->write_file(
        dir_ / name, R"({"interface-types":["uefi"],"mapping":{"device":"flash","executable":{"filename":")" +
                         (dir_ / code).string() + R"(","format":"raw"},"nvram-template":{"filename":")" +
                         (dir_ / "vars.fd").string() +
                         R"(","format":"raw"}},"targets":[{"architecture":"x86_64","machines":[")" + machine +
                         R"("]}],"features":[)" + features + "]}");
  }
  Path dir_;
};

TEST_F(QemuFirmware, TheFirstThatFitsIsTaken) {
  describe("10-secure.json", R"("requires-smm","secure-boot")", "pc-q35-*");
  describe("20-keys.json", R"("enrolled-keys")", "pc-q35-*");
  describe("30-other-machine.json", "", "microvm");
  describe("40-gone.json", "", "pc-q35-*", "not-there.fd");
  local_host()->write_file(dir_ / "45-no.json", "{ nonsense");
  describe("50-good.json", R"("acpi-s3")", "pc-q35-*");
  const auto found = hypervisor::find_firmware();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, dir_ / "code.fd");
  EXPECT_EQ(found->variables, dir_ / "vars.fd");
}

TEST_F(QemuFirmware, WhatAGuestStoredIsKept) {
  describe("50-good.json", "", "pc-q35-*");
  const Path own = dir_ / "own.fd";
  hypervisor::provide_uefi_variables(own);
  EXPECT_EQ(local_host()->read_file(own), "vars.fd");
  local_host()->write_file(own, "changed");
  hypervisor::provide_uefi_variables(own);
  EXPECT_EQ(local_host()->read_file(own), "changed");
}

TEST_F(QemuFirmware, NoneIsAnErrorThatSaysWhatToInstall) {
  EXPECT_FALSE(hypervisor::find_firmware());
  try {
    hypervisor::provide_uefi_variables(dir_ / "own.fd");
    FAIL();
  } catch (const HostError& e) {
    EXPECT_NE(std::string(e.what()).find("ovmf"), std::string::npos);
  }
}

}  // namespace
