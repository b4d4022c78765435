#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <kdev/error.hpp>
#include <kdev/kern_conf.hpp>
#include <kdev/workspace.hpp>

#include "guest/guest.hpp"
#include "unit/build/fake_tree.hpp"
#include "unit/host/temp_dir.hpp"

using namespace kdev;
using namespace kdev::test;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = boost::filesystem;

TEST(KernConf, EveryCallGivesANewValue) {
  const KernConf base = KernConf::tiny();
  const KernConf more =
      base.preset("debug").enable("LKDTM").module("CONFIG_KGDB").set("NR_CPUS", "4").disable("SMP");
  EXPECT_EQ(base, KernConf::tiny());
  EXPECT_NE(base, more);
  EXPECT_THAT(more.presets(), ElementsAre("debug"));
  EXPECT_EQ(more.settings().back(), (ConfSetting{"SMP", "n", "user", true}));
  EXPECT_THAT(more.settings(), Contains(ConfSetting{"KGDB", "m", "user", true}));
  EXPECT_THAT(more.settings(), Contains(ConfSetting{"KGDB", "y", "preset debug", true}));
}

TEST(KernConf, JsonRoundTripsExactly) {
  TempDir dir;
  dir.write("frag", "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"x \\\"y\\\"\"\n");
  dir.write("base", "CONFIG_A=y\n");
  for (const KernConf& conf :
       {KernConf::tiny(), KernConf::defconfig().preset("kasan").preset("debuggable").fragment(dir / "frag"),
        KernConf::file(dir / "base").make_variable("KCFLAGS", "-O1").set("CMDLINE", "a=\"b\"")}) {
    EXPECT_EQ(KernConf::from_json(conf.to_json()), conf);
    EXPECT_EQ(KernConf::from_json(conf.to_json()).to_json(), conf.to_json());
  }
  for (const char* bad : {"", "[]", R"({"settings": 1})", R"({"settings": [1]})", R"({"make_variables": []})",
                          R"({"presets": [1]})"})
    EXPECT_THROW(KernConf::from_json(bad), FormatError) << bad;
}

TEST(KernConf, UnknownPresetsAndBadNamesAreErrors) {
  try {
    KernConf::tiny().preset("debgu");
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.hint(), HasSubstr("debug, kasan, lockdep, coverage, debuggable, network"));
  }
  EXPECT_THROW(KernConf::tiny().enable(""), ConfigError);
  EXPECT_THROW(KernConf::tiny().enable("A B"), ConfigError);
  EXPECT_THROW(KernConf::tiny().set("A", "x\ny"), ConfigError);
  for (const char* places : {"O", "M", "KBUILD_OUTPUT", "KBUILD_EXTMOD", "INSTALL_MOD_PATH"})
    EXPECT_THROW(KernConf::tiny().make_variable(places, "/tmp"), ConfigError) << places;
  EXPECT_THROW(KernConf::tiny().make_variable("a b", "c"), ConfigError);
  EXPECT_THROW(KernConf::file("/nonexistent"), ConfigError);
  EXPECT_THROW(KernConf::tiny().fragment("/nonexistent"), ConfigError);
  EXPECT_THROW(KernConf::tiny().initramfs_source("/nonexistent"), ConfigError);
  EXPECT_THROW(KernConf::tiny(Os::freebsd).preset("kasan"), ConfigError);
  for (const char* bad : {"", "options", "nooptions A", "options A B", "machine amd64", "nonsense A", "A=B"})
    EXPECT_THROW(KernConf::tiny(Os::freebsd).enable(bad), ConfigError) << bad;
  EXPECT_THROW(KernConf::tiny(Os::freebsd).make_variable("KERNCONF", "X"), ConfigError);
}

TEST(KernConf, FragmentsSayWhereEachSettingComesFrom) {
  TempDir dir;
  dir.write("frag", "# head\nCONFIG_A=m\n\n# CONFIG_B is not set\n");
  const KernConf conf = KernConf::file(dir.write("base", "")).fragment(dir / "frag");
  const std::string file = (dir / "frag").string();
  EXPECT_THAT(conf.settings(), ElementsAre(ConfSetting{"A", "m", "fragment " + file + ":2", true},
                                           ConfSetting{"B", "n", "fragment " + file + ":4", true}));
  dir.write("frag", "CONFIG_A=y\nnonsense\n");
  try {
    KernConf::defconfig().fragment(dir / "frag");
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), HasSubstr(file + ":2"));
  }
}

TEST(KernConf, DescribeShowsTheMergeOrder) {
  const std::string text =
      KernConf::defconfig().preset("debug").disable("LKDTM").make_variable("KCFLAGS", "-O1").describe();
  EXPECT_THAT(text, HasSubstr("base defconfig"));
  EXPECT_THAT(text, testing::ContainsRegex("LKDTM +=.*y.*preset debug -> n by user"));
  EXPECT_THAT(text, testing::ContainsRegex("LKDTM +=.*n.*user"));
  EXPECT_THAT(text, HasSubstr("make KCFLAGS=-O1"));
}

TEST(KernConf, DiffsSettingsAndConfigs) {
  EXPECT_THAT(KernConf::defconfig().enable("A").enable("B").diff(
                  KernConf::defconfig().enable("A").disable("B").enable("C")),
              ElementsAre(ConfDiff{"B", "y", "n"}, ConfDiff{"C", std::nullopt, "y"}));
  EXPECT_THAT(KernConf::tiny().diff(KernConf::tiny()), IsEmpty());
  EXPECT_THAT(diff_configs("CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n",
                           "CONFIG_A=y\nCONFIG_C=y\nCONFIG_D=\"x\"\n"),
              ElementsAre(ConfDiff{"B", "m", std::nullopt}, ConfDiff{"C", std::nullopt, "y"},
                          ConfDiff{"D", std::nullopt, "x"}));
  EXPECT_THAT(diff_configs("CONFIG_A=y\n", "", Os::linux), ElementsAre(ConfDiff{"A", "y", std::nullopt}));
  // Whose rules read it is asked for, not assumed: a file of another OS is no .config.
  if (!guest::guest_for(Os::freebsd).conf()) {
    EXPECT_THROW(diff_configs("", "", Os::freebsd), ConfigError);
  }
}

TEST(KernConf, TheRunningKernelsIsOfThisMachinesOs) {
  const Os other = running_os() == Os::linux ? Os::freebsd : Os::linux;
  try {
    KernConf::running(other);
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.reason(), AllOf(HasSubstr(os_title(running_os())), HasSubstr(os_title(other))));
  }
}

TEST(KernConf, AFirstFileSystemIsTheGuestsToName) {
  TempDir dir;
  const Path file = dir.write("init.cpio", "");
  const KernConf conf = KernConf::defconfig(Os::linux).initramfs_source(file);
  EXPECT_THAT(conf.settings(), AllOf(Contains(ConfSetting{"BLK_DEV_INITRD", "y", "user", true}),
                                     Contains(ConfSetting{"INITRAMFS_SOURCE", file.string(), "user", true})));
  EXPECT_THROW(KernConf::tiny().initramfs_source(dir.write("two words", "")), ConfigError);
}

TEST(KernConf, PresetsWithFlagsAddThem) {
  const KernConf conf = KernConf::tiny().make_variable("KCFLAGS", "-g3").preset("debuggable");
  EXPECT_THAT(conf.make_variables().at("KCFLAGS"), testing::StartsWith("-g3 -O1"));
}

TEST(KernConf, ResolvesThroughTheTreesOwnTool) {
  const FakeTree tree;
  const Workspace ws = tree.open();
  const ResolvedConf conf =
      KernConf::defconfig().enable("FANCY").disable("EXTRA").enable("EXTRA").resolve(ws);
  EXPECT_EQ(conf.values.at("FANCY"), "y");
  EXPECT_EQ(conf.values.at("X86_64"), "y");
  EXPECT_FALSE(conf.values.contains("FANCIER"));
  EXPECT_THAT(conf.overridden, ElementsAre(ConfSetting{"EXTRA", "n", "user", true}));
  EXPECT_THAT(conf.lost, IsEmpty());
  // From memory: the tree's tool does not run again.
  const std::size_t makes = tree.makes().size();
  const ResolvedConf again =
      KernConf::defconfig().enable("FANCY").disable("EXTRA").enable("EXTRA").resolve(ws);
  EXPECT_EQ(tree.makes().size(), makes);
  EXPECT_EQ(again.text, conf.text);
  EXPECT_EQ(again.values, conf.values);
  EXPECT_EQ(again.overridden, conf.overridden);
}

TEST(KernConf, AStringMayLookLikeANumber) {
  const FakeTree tree;
  const Workspace ws = tree.open();
  const std::string line = "CONFIG_INITRAMFS_SOURCE=\"-1\"\n";
  local_host()->write_file(tree.top / "frag", "CONFIG_BLK_DEV_INITRD=y\n" + line);
  for (const KernConf& conf : {FakeTree::conf().fragment(tree.top / "frag"),
                               FakeTree::conf().enable("BLK_DEV_INITRD").set("INITRAMFS_SOURCE", "\"-1\"")}) {
    EXPECT_EQ(KernConf::from_json(conf.to_json()), conf);
    const ResolvedConf resolved = conf.try_resolve(ws);
    EXPECT_THAT(resolved.lost, IsEmpty());
    EXPECT_THAT(resolved.text, HasSubstr(line));
    EXPECT_EQ(resolved.values.at("INITRAMFS_SOURCE"), "-1");
  }
}

TEST(KernConf, AModuleOfWhatCanOnlyBeBuiltInIsBuiltIn) {
  const FakeTree tree;
  EXPECT_EQ(KernConf::defconfig().module("FANCY").resolve(tree.open()).values.at("FANCY"), "y");
}

TEST(KernConf, TryResolveReturnsWhatIsLost) {
  const FakeTree tree;
  const KernConf conf = KernConf::defconfig().enable("FANCIER");
  for (int i = 0; i < 2; ++i) {  // the second from memory
    const ResolvedConf resolved = conf.try_resolve(tree.open());
    ASSERT_EQ(resolved.lost.size(), 1u);
    EXPECT_EQ(resolved.lost[0].asked, (ConfSetting{"FANCIER", "y", "user", true}));
    EXPECT_EQ(resolved.lost[0].depends, "FANCY");
    EXPECT_THAT(resolved.lost[0].unmet, ElementsAre("FANCY=n"));
    EXPECT_EQ(resolved.lost[0].type, "bool");
  }
  EXPECT_THROW(conf.resolve(tree.open()), ConfigError);
}

TEST(KernConf, ABaseFileIsReadAgainWhenItChanges) {
  const FakeTree tree;
  const auto write = [&](const std::string& text) { local_host()->write_file(tree.top / "base", text); };
  write("CONFIG_FANCY=y\n");
  const KernConf conf = KernConf::file(tree.top / "base");
  EXPECT_TRUE(conf.resolve(tree.open()).values.contains("FANCY"));
  write("# CONFIG_FANCY is not set\n");
  EXPECT_FALSE(conf.resolve(tree.open()).values.contains("FANCY"));
}

TEST(KernConf, ATreeWhoseToolFailsSaysWhy) {
  const FakeTree tree;
  tree.write("scripts/conf.sh", "#!/bin/sh\necho 'Kconfig:3: syntax error' >&2\nexit 1\n", true);
  try {
    KernConf::defconfig().resolve(tree.open());
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), HasSubstr("Kconfig:3: syntax error"));
  }
}

TEST(Artifacts, JsonRoundTripsExactly) {
  KernelArtifact kernel;
  kernel.id = "abc";
  kernel.arch = "x86_64";
  kernel.release = "6.1.0";
  kernel.build_id = "0123";
  for (Path* path : {&kernel.dir, &kernel.image, &kernel.bzimage, &kernel.vmlinux, &kernel.system_map,
                     &kernel.config, &kernel.modules, &kernel.source, &kernel.obj})
    *path = "/a path/with \"quotes\"/" + std::to_string(path - &kernel.dir);
  kernel.from_store = true;
  EXPECT_EQ(KernelArtifact::from_json(kernel.to_json()), kernel);
  EXPECT_EQ(KernelArtifact::from_json(KernelArtifact{}.to_json()), KernelArtifact{});
  ModuleArtifact module{"hello", "/s/hello.ko", "/src", "abc", "0123", true};
  EXPECT_EQ(ModuleArtifact::from_json(module.to_json()), module);
  EXPECT_THROW(KernelArtifact::from_json("[]"), FormatError);
  EXPECT_THROW(KernelArtifact::from_json(R"({"id": 1})"), FormatError);
}

TEST(Scaffold, WritesAModuleThatBothMakesTake) {
  const FakeTree tree;
  const Workspace ws = tree.open();
  const Path dir = ws.scaffold("hello", "greeter");
  EXPECT_EQ(dir, ws.src() / "greeter");
  EXPECT_TRUE(holds(dir / "greeter.c", "module_init(greeter_init);"));
  EXPECT_TRUE(holds(dir / "greeter.c", "module_param(who, charp, 0444);"));
  EXPECT_TRUE(holds(dir / "Makefile", "obj-m := greeter.o"));
  EXPECT_TRUE(holds(dir / "Makefile", "$(MAKE) -C $(KERNELDIR) M=$(PWD) modules"));
  EXPECT_FALSE(holds(dir / "greeter.c", "@"));
  EXPECT_THROW(ws.scaffold("hello", "greeter"), ConfigError);
  EXPECT_THROW(ws.scaffold("hullo", "x"), ConfigError);
  EXPECT_THROW(ws.scaffold("hello", "9lives"), ConfigError);
  EXPECT_THROW(ws.scaffold("hello", "../x"), ConfigError);
  EXPECT_EQ(ws.scaffold("hello", "other", tree.top / "elsewhere"), tree.top / "elsewhere");
}

TEST(ModuleBuild, AStoppedOneIsToldAsInterrupted) {
  const FakeTree tree;
  const Workspace ws = tree.open();
  KernelArtifact kernel = ws.build(FakeTree::conf());
  kernel.config = tree.top / "config";
  local_host()->write_file(kernel.config, "CONFIG_MODULES=y\n");
  const Path dir = ws.scaffold("hello", "greeter");
  std::stop_source stop;
  stop.request_stop();
  std::vector<std::string> outcomes;
  BuildOptions options{.deadline = Deadline::never(stop.get_token()), .on_event = [&](const Event& e) {
                         if (const auto* f = std::get_if<StageFinished>(&e))
                           outcomes.push_back(f->stage + " " + f->outcome);
                       }};
  EXPECT_THROW(ws.build_module(dir, kernel, options), Interrupted);
  EXPECT_THAT(outcomes, ElementsAre("module interrupted"));
}

TEST(ModuleBuild, BadInputIsSaidBeforeAnythingRuns) {
  const FakeTree tree;
  const Workspace ws = tree.open();
  KernelArtifact kernel;
  kernel.source = tree.source;
  const auto message = [&](const Path& dir) -> std::string {
    try {
      ws.build_module(dir, kernel);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "nothing";
  };
  EXPECT_THAT(message(tree.top / "nowhere"), HasSubstr("it is no folder"));
  fs::create_directories(tree.top / "m");
  EXPECT_THAT(message(tree.top / "m"), HasSubstr("no Makefile"));
  local_host()->write_file(tree.top / "m/Makefile", "all:\n");
  EXPECT_THAT(message(tree.top / "m"), HasSubstr("no obj-m"));
  local_host()->write_file(tree.top / "m/Makefile", "obj-m := m.o\n");
  EXPECT_THAT(message(tree.top / "m"), HasSubstr("output tree"));
}
