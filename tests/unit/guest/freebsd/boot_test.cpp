#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

#include "guest/console_rules.hpp"
#include "guest/freebsd/freebsd.hpp"

namespace kdev::guest {
namespace {

namespace fs = boost::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct FreebsdBootTest : testing::Test {
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-boot-%%%%%%%%");
  KernelArtifact kernel;
  std::string cmdline;
  bool agent = true;
  bool root = true;
  void SetUp() override {
    kernel.os = Os::freebsd;
    kernel.release = "13.2-RELEASE";
    kernel.image = dir / "kernel";
    kernel.modules = dir / "modules";
    fs::create_directories(kernel.modules / "boot/kernel");
    local_host()->write_file(kernel.modules / "boot/kernel/nullfs.ko", "");
  }
  void TearDown() override { fs::remove_all(dir); }
  BootPlan plan() {
    const auto plans = guest_for(Os::freebsd)
                           .boot_plans({.kernel = kernel, .cmdline = cmdline, .root = root, .agent = agent});
    EXPECT_THAT(plans, SizeIs(1));
    return plans.at(0);
  }
  std::string refusal() {
    try {
      plan();
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "no ConfigError";
  }
};

TEST_F(FreebsdBootTest, UnattendedGuestsAndDebugPortsOnlyWhereAskedFor) {
  EXPECT_FALSE(plan().environment.contains("debug.debugger_on_panic"));
  EXPECT_FALSE(plan().environment.contains("hw.uart.dbgport"));
  const auto plans = guest_for(Os::freebsd)
                         .boot_plans({.kernel = kernel,
                                      .cmdline = "kern.panic_reboot_wait_time=3",
                                      .unattended = true,
                                      .debug_port = true});
  EXPECT_EQ(plans.at(0).environment.at("debug.debugger_on_panic"), "0");
  EXPECT_EQ(plans.at(0).environment.at("kern.panic_reboot_wait_time"), "3") << "the user's own wins";
  EXPECT_EQ(plans.at(0).environment.at("hw.uart.dbgport"), "io:0x2f8,br:115200");
}

TEST(FreebsdBootPrompts, WhereABootIsStuckIsKnownByItsLastLine) {
  const ConsoleRules& rules = *guest_for(Os::freebsd).console();
  const auto where = [&](std::string_view line) {
    const BootPrompt* prompt = rules.boot_prompt(line);
    return prompt ? std::string(prompt->where) : "nowhere";
  };
  EXPECT_THAT(where("Enter full pathname of shell or RETURN for /bin/sh: "), HasSubstr("single user"));
  EXPECT_THAT(where("root@:/ # "), HasSubstr("shell"));
  EXPECT_THAT(where("# "), HasSubstr("shell"));
  EXPECT_THAT(where("mountroot> "), HasSubstr("mountroot"));
  EXPECT_THAT(where("OK "), HasSubstr("loader"));
  EXPECT_THAT(where("\rOK "), HasSubstr("loader")) << "the loader draws its line anew";
  EXPECT_THAT(where("boot: "), HasSubstr("boot blocks"));
  EXPECT_THAT(where("Shell> "), HasSubstr("firmware"));
  EXPECT_EQ(where("Trying to mount root from ufs:/dev/md0 [rw]..."), "nowhere");
  EXPECT_EQ(where("Autoboot in 9 seconds... (press Enter to boot)"), "nowhere");
  EXPECT_EQ(where("login: "), "nowhere");
  EXPECT_EQ(where(""), "nowhere");
}

TEST_F(FreebsdBootTest, TheKernelIsStartedDirectly) {
  const BootPlan p = plan();
  EXPECT_EQ(p.kind, BootPlan::Kind::direct_multiboot);
  EXPECT_EQ(p.kernel, kernel.image);
  EXPECT_EQ(p.environment.at("hw.uart.console"), "io:0x3f8,br:115200");
  EXPECT_EQ(p.environment.at("vfs.root.mountfrom"), "ufs:/dev/md0");
  EXPECT_EQ(p.environment.at("init_path"), "/init");
  EXPECT_EQ(p.environment.at("hint.psm.0.disabled"), "1");
  EXPECT_THAT(p.modules, IsEmpty());
}

TEST_F(FreebsdBootTest, WithoutRootAndAgentTheKernelsOwnWaysHold) {
  root = false;
  agent = false;
  const BootPlan p = plan();
  EXPECT_EQ(p.environment.count("vfs.root.mountfrom"), 0u);
  EXPECT_EQ(p.environment.count("init_path"), 0u);
}

TEST_F(FreebsdBootTest, WhatTheUserSaysIsLoaderConf) {
  cmdline = "-s -v kern.maxusers=64 hint.psm.0.disabled=0 a=\"b c\" nullfs_load=\"YES\" geom_eli_load=NO";
  const BootPlan p = plan();
  EXPECT_EQ(p.cmdline, "-s -v");
  EXPECT_EQ(p.environment.at("kern.maxusers"), "64");
  EXPECT_EQ(p.environment.at("hint.psm.0.disabled"), "0") << "the user's word counts";
  EXPECT_EQ(p.environment.at("a"), "b c");
  EXPECT_THAT(p.modules, ElementsAre(kernel.modules / "boot/kernel/nullfs.ko"));
  cmdline = "mine_load=YES mine_name=/elsewhere/my.ko";
  EXPECT_THAT(plan().modules, ElementsAre(Path("/elsewhere/my.ko")));
}

TEST_F(FreebsdBootTest, WhatCannotBeReadIsRefused) {
  cmdline = "single";
  EXPECT_THAT(refusal(), HasSubstr("\"single\" is no NAME=VALUE"));
  cmdline = "-x";
  EXPECT_THAT(refusal(), HasSubstr("\"-x\""));
  cmdline = "a=\"b";
  EXPECT_THAT(refusal(), HasSubstr("quote"));
  cmdline = "zfs_load=YES";
  EXPECT_THAT(refusal(), HasSubstr("zfs.ko is not among the modules of kernel 13.2-RELEASE"));
}

TEST_F(FreebsdBootTest, AKernelWithoutImageHasNoPlan) {
  kernel.image.clear();
  EXPECT_THAT(guest_for(Os::freebsd).boot_plans({.kernel = kernel, .cmdline = {}}), IsEmpty());
}

TEST_F(FreebsdBootTest, AnAgentNeedsTheTreesLibraries) {
  try {
    guest_for(Os::freebsd).make_agent(*local_host(), dir / "sysroot", dir, {});
    FAIL() << "no ConfigError";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), HasSubstr("usr/lib/libc.a"));
  }
}

}  // namespace
}  // namespace kdev::guest
