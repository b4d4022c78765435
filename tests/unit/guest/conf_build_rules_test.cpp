// What Linux's make commands and messages look like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "guest/build_rules.hpp"
#include "guest/conf_rules.hpp"
#include "guest/linux/build_make.hpp"
#include "guest/linux/build_output.hpp"
#include "guest/linux/linux.hpp"
#include "guest/linux/presets.hpp"
#include "unit/host/temp_dir.hpp"

using namespace kdev;
using namespace kdev::guest;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(LinuxMake, IsAnArgumentVectorWithNothingOfTheCallersEnvironment) {
  setenv("KCFLAGS", "-Wmine", 1);
  setenv("KBUILD_BUILD_USER", "me", 1);
  setenv("KDEV_HARMLESS", "1", 1);
  const Command command = linux_make({.source = "/src",
                                      .obj = "/obj",
                                      .targets = {"vmlinux", "modules"},
                                      .jobs = 3,
                                      .variables = {{"KCFLAGS", "-O1"}},
                                      .ccache = "/usr/bin/ccache",
                                      .toolchain_id = "abc"});
  unsetenv("KCFLAGS");
  unsetenv("KBUILD_BUILD_USER");
  unsetenv("KDEV_HARMLESS");
  EXPECT_THAT(command.argv,
              AllOf(Contains("make"), Contains("-C"), Contains("/src"), Contains("O=/obj"), Contains("-j3"),
                    Contains("CC=/usr/bin/ccache gcc"), Contains("KCFLAGS=-O1 -fdebug-prefix-map=/obj=/src"),
                    Contains("LOCALVERSION="), Contains("vmlinux"), Contains("modules")));
  EXPECT_THAT(command.unset_env,
              AllOf(Contains("KCFLAGS"), Contains("KBUILD_BUILD_USER"), Not(Contains("KDEV_HARMLESS"))));
  EXPECT_EQ(command.env.at("KBUILD_BUILD_USER"), "kdev");
  EXPECT_EQ(command.env.at("CCACHE_COMPILERCHECK"), "string:abc");
}

TEST(LinuxMake, FindsTheToolsOfAToolchain) {
  EXPECT_EQ(linux_tool("CC", {}), "gcc");
  EXPECT_EQ(linux_tool("CC", {{"CROSS_COMPILE", "aarch64-linux-gnu-"}}), "aarch64-linux-gnu-gcc");
  EXPECT_EQ(linux_tool("HOSTCC", {{"CROSS_COMPILE", "aarch64-linux-gnu-"}}), "gcc");
  EXPECT_EQ(linux_tool("CC", {{"LLVM", "1"}}), "clang");
  EXPECT_EQ(linux_tool("LD", {{"LLVM", "-15"}}), "ld.lld-15");
  EXPECT_EQ(linux_tool("OBJCOPY", {{"LLVM", "/opt/bin/"}}), "/opt/bin/llvm-objcopy");
  EXPECT_EQ(linux_tool("CC", {{"CC", "gcc-11 -std=gnu11"}}), "gcc-11");
}

TEST(LinuxOutput, TellsObjects) {
  EXPECT_EQ(linux_made_object("  CC      kernel/fork.o"), "kernel/fork.o");
  EXPECT_EQ(linux_made_object("  CC [M]  drivers/a/b.o"), "drivers/a/b.o");
  EXPECT_EQ(linux_made_object("  AS      arch/x86/entry/entry.o"), "arch/x86/entry/entry.o");
  EXPECT_EQ(linux_made_object("  HOSTCC  scripts/basic/fixdep"), "scripts/basic/fixdep");
  for (const char* other :
       {"  LD      vmlinux", "  AR      built-in.a", "CC      x.o", "", "  ", "  CC", "make[1]: Entering"})
    EXPECT_EQ(linux_made_object(other), "") << other;
}

TEST(LinuxOutput, TellsItsOwnToolsMessages) {
  auto d = linux_diagnostic("vmlinux.o: warning: objtool: foo+0x1: unreachable instruction");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->file, "vmlinux.o");
  EXPECT_EQ(d->severity, "warning");
  d = linux_diagnostic(R"(ERROR: modpost: "nowhere" [/src/hello.ko] undefined!)");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->file, "/src/hello.ko");
  EXPECT_EQ(d->severity, "error");
  d = linux_diagnostic("drivers/Kconfig:12: syntax error");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->line, 12);
  EXPECT_FALSE(linux_diagnostic("  CC      kernel/fork.o"));
}

TEST(LinuxBuildRules, ExplainsADistributionsCertificates) {
  EXPECT_THAT(linux_build_rules().failure_hint(
                  "make: No rule to make target 'debian/certs/x.pem', needed by 'certs/x'."),
              HasSubstr("SYSTEM_TRUSTED_KEYS"));
  EXPECT_EQ(linux_build_rules().failure_hint("kernel/fork.c:1: syntax error"), "");
}

TEST(LinuxBuildRules, KnowsWhatIsNoInput) {
  const BuildRules& rules = linux_build_rules();
  for (const char* path :
       {".git", "kernel/.fork.c.swp", "kernel/fork.c~", "tags", ".#fork.c", "kernel/#fork.c#"})
    EXPECT_TRUE(rules.ignored(path)) << path;
  for (const char* path :
       {"kernel/fork.c", ".config", "scripts/tags.sh", "kernel/tags", "localversion-rt", ".clang-format"})
    EXPECT_FALSE(rules.ignored(path)) << path;
}

TEST(LinuxBuildRules, KnowsWhatModulesAreBuiltWith) {
  const BuildRules& rules = linux_build_rules();
  for (const char* path : {"include/linux/fs.h", "arch/x86/include/asm/page.h", "scripts/Makefile.build",
                           "Makefile", "arch/x86/Makefile", "tools/objtool/check.c"})
    EXPECT_TRUE(rules.matters_to_modules(path)) << path;
  for (const char* path :
       {"kernel/fork.c", "Documentation/Makefile", "tools/perf/perf.c", "drivers/base/base.h"})
    EXPECT_FALSE(rules.matters_to_modules(path)) << path;
}

// What runs behind the PVH note writes to a shadow that is not there yet.
TEST(LinuxBoot, AKernelWithKasanIsBootedByItsCompressedImage) {
  const test::TempDir dir;
  KernelArtifact kernel;
  kernel.image = "/k/image";
  kernel.bzimage = "/k/bzImage";
  const auto kinds = [&] {
    std::vector<BootPlan::Kind> kinds;
    for (const BootPlan& plan : linux_boot_plans({.kernel = kernel, .cmdline = {}}))
      kinds.push_back(plan.kind);
    return kinds;
  };
  using enum BootPlan::Kind;
  EXPECT_THAT(kinds(), ElementsAre(direct_elf, direct_image));
  kernel.config = dir.write("config", "# CONFIG_KASAN is not set\n");
  EXPECT_THAT(kinds(), ElementsAre(direct_elf, direct_image));
  dir.write("config", "CONFIG_KASAN=y\n");
  EXPECT_THAT(kinds(), ElementsAre(direct_image));
  const BuildRules& rules = linux_build_rules();
  EXPECT_THAT(rules.default_targets({{"MODULES", "y"}}), ElementsAre("vmlinux", "modules"));
  EXPECT_THAT(rules.default_targets({{"MODULES", "y"}, {"KASAN", "y"}}),
              ElementsAre("vmlinux", "modules", "bzImage"));
}

TEST(Presets, AreWellFormed) {
  for (const Preset& preset : linux_presets()) {
    EXPECT_FALSE(preset.summary.empty()) << preset.name;
    EXPECT_FALSE(preset.settings.empty()) << preset.name;
    for (const ConfSetting& setting : preset.settings) {
      EXPECT_EQ(setting.origin, "preset " + preset.name);
      EXPECT_EQ(linux_conf_rules().option_name(setting.option), setting.option);
      EXPECT_FALSE(setting.value.empty()) << setting.option;
    }
  }
  for (const ConfSetting& setting : linux_conf_rules().base_settings("tiny")) {
    EXPECT_FALSE(setting.wanted) << setting.option;
    EXPECT_EQ(setting.origin, "base tiny");
  }
}
