// Building FreeBSD kernels and modules: what is run, when, and what is noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <kdev/error.hpp>

#include "fakes/far_host.hpp"
#include "guest/freebsd/build_make.hpp"
#include "guest/freebsd/freebsd.hpp"
#include "unit/build/fake_freebsd_tree.hpp"
#include "unit/build/fake_tree.hpp"

namespace kdev::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string text_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(FreebsdConf, TinyIsMinimalWithWhatAVirtualMachineHas) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const ResolvedConf conf = FakeFreebsdTree::conf().resolve(ws);
  EXPECT_EQ(conf.values.at("ident"), "KDEV");
  EXPECT_EQ(conf.values.at("machine"), "amd64");
  EXPECT_EQ(conf.values.at("options KDB"), "y");
  EXPECT_EQ(conf.values.at("device md"), "y");
  EXPECT_FALSE(conf.values.contains("makeoptions WITH_CTF"));
  EXPECT_FALSE(conf.values.contains("device vtnet"));  // this tree has none, and nobody insists
  EXPECT_THAT(conf.text, testing::Not(HasSubstr("\ninclude")));
}

TEST(FreebsdConf, LaterSettingsWinOverIncludedOnes) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const KernConf generic = KernConf::defconfig(Os::freebsd);
  EXPECT_TRUE(generic.resolve(ws).values.contains("options INVARIANTS"));
  EXPECT_EQ(generic.resolve(ws).values.at("ident"), "GENERIC");
  const ResolvedConf other = generic.disable("INVARIANTS").set("makeoptions WITH_CTF", "2").resolve(ws);
  EXPECT_FALSE(other.values.contains("options INVARIANTS"));
  EXPECT_EQ(other.values.at("makeoptions WITH_CTF"), "2");
}

TEST(FreebsdConf, Debug0IsTheSeedsToTheLetter) {
  const KernConf conf = KernConf::defconfig(Os::freebsd).preset("debug0");
  EXPECT_EQ(conf.base(), "defconfig");
  EXPECT_THAT(conf.settings(), ElementsAre(ConfSetting{"ident", "DEBUG0", "preset debug0", true},
                                           ConfSetting{"makeoptions DEBUG", "-g -O0", "preset debug0", true},
                                           ConfSetting{"options KSTACK_PAGES", "16", "preset debug0", true}));
}

TEST(FreebsdConf, UnknownNamesAreLostWithTheNearest) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const ResolvedConf conf =
      FakeFreebsdTree::conf().enable("WITNES").enable("mdd").module("nulfs").try_resolve(ws);
  ASSERT_EQ(conf.lost.size(), 3u);
  EXPECT_EQ(conf.lost[0].asked.option, "device nulfs");
  EXPECT_THAT(conf.lost[0].nearest, ElementsAre("nullfs"));
  EXPECT_THAT(conf.lost[1].nearest, ElementsAre("WITNESS"));
  EXPECT_THAT(conf.lost[2].nearest, ElementsAre("md"));
  EXPECT_THAT(
      text_of([&] { FakeFreebsdTree::conf().enable("WITNES").resolve(ws); }),
      HasSubstr(
          "options WITNES=y (asked for by: user): the tree knows no such option; similar ones: WITNESS"));
}

TEST(FreebsdConf, ModulesAreBuiltWithTheKernelByName) {
  const FakeFreebsdTree tree;
  const ResolvedConf conf = FakeFreebsdTree::conf().module("nullfs").resolve(tree.open());
  EXPECT_EQ(conf.values.at("makeoptions MODULES_OVERRIDE"), "nullfs");
}

TEST(FreebsdConf, AFileAndItsIncludesBesideIt) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  tree.top.write("mine/STD", "options FANCY\n");
  const Path file = tree.top.write("mine/MINE", "include MINIMAL\ninclude STD\nident MINE\n");
  const ResolvedConf conf = KernConf::file(file, Os::freebsd).resolve(ws);
  EXPECT_EQ(conf.values.at("options FANCY"), "y");
  EXPECT_EQ(conf.values.at("ident"), "MINE");
  tree.top.write("mine/NAMELESS", "machine amd64\ncpu HAMMER\n");
  EXPECT_THAT(text_of([&] { KernConf::file(tree.top / "mine/NAMELESS", Os::freebsd).resolve(ws); }),
              HasSubstr("no \"ident\""));
  tree.top.write("mine/STD", "include MINE\n");
  EXPECT_THAT(text_of([&] { KernConf::file(file, Os::freebsd).preset("debug").resolve(ws); }),
              HasSubstr("circle"));
  const Path fragment = tree.top.write("mine/frag", "options\tFANCY # one\nnooptions KDB\nident FRAG\n");
  const ResolvedConf merged = FakeFreebsdTree::conf().fragment(fragment).resolve(ws);
  EXPECT_EQ(merged.values.at("ident"), "FRAG");
  EXPECT_FALSE(merged.values.contains("options KDB"));
}

TEST(FreebsdBuild, AKernelAndWhatComesWithIt) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const KernelArtifact kernel = ws.build(FakeFreebsdTree::conf());
  EXPECT_EQ(kernel.os, Os::freebsd);
  EXPECT_EQ(kernel.arch, "x86_64");
  EXPECT_EQ(kernel.release, "13.2-RELEASE");
  EXPECT_EQ(kernel.build_id.size(), 40u);
  EXPECT_TRUE(holds(kernel.vmlinux, "fork-one"));
  EXPECT_TRUE(holds(kernel.image, "fork-one"));
  EXPECT_TRUE(local_host()->exists(kernel.modules / "boot/kernel/kernel"));
  EXPECT_TRUE(local_host()->exists(kernel.obj / "opt_global.h"));
  EXPECT_THAT(tree.calls(), ElementsAre("kernel-toolchain", "config", "installkernel"));
  // Nothing changed: nothing is run.
  EXPECT_TRUE(ws.build(FakeFreebsdTree::conf()).from_store);
  EXPECT_EQ(tree.calls().size(), 3u);
  EXPECT_THAT(local_host()->entries(ws.run()), IsEmpty());
}

TEST(FreebsdBuild, ATouchedFileIsBuiltWithoutConfiguring) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  ws.build(FakeFreebsdTree::conf());
  tree.write("sys/kern/kern_fork.c", "const char *fork_text = \"fork-two\";\n");
  EXPECT_TRUE(holds(ws.build(FakeFreebsdTree::conf()).vmlinux, "fork-two"));
  EXPECT_THAT(tree.calls(),
              ElementsAre("kernel-toolchain", "config", "installkernel", "fast", "installkernel"));
}

TEST(FreebsdBuild, AHeaderThatCameBackWithAnOldDateIsNoticed) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  ws.build(FakeFreebsdTree::conf());
  tree.write("sys/sys/sizes.h", "#define SIZE 3\nconst char *sizes_text = \"sizes-two\";\n");
  tree.backdate("sys/sys/sizes.h");
  EXPECT_TRUE(holds(ws.build(FakeFreebsdTree::conf()).vmlinux, "sizes-two"));
}

TEST(FreebsdBuild, TablesOfOptionsAndRulesHaveTheirConsequences) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const KernelArtifact first = ws.build(FakeFreebsdTree::conf());
  tree.write("sys/conf/files", "dev/md/md.c optional md\n# one more line\n");
  const KernelArtifact second = ws.build(FakeFreebsdTree::conf());
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(tree.calls()[3], "config");
  // Rules: all objects are made anew, for make would keep them.
  tree.write("share/mk/bsd.own.mk", "CFLAGS+=-O0\n");
  ws.build(FakeFreebsdTree::conf());
  EXPECT_THAT(tree.calls(), ElementsAre("kernel-toolchain", "config", "installkernel", "config",
                                        "installkernel", "kernel-toolchain", "config", "installkernel"));
  // And so do the workspace's own settings.
  tree.top.write("ws/conf/src.conf", "WITHOUT_GAMES=yes\n");
  EXPECT_FALSE(ws.build(FakeFreebsdTree::conf()).from_store);
}

TEST(FreebsdBuild, CommandsAreToldAndNotRun) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const std::vector<std::string> commands = ws.build_commands(FakeFreebsdTree::conf(), {.jobs = 3});
  EXPECT_THAT(commands, ElementsAre(HasSubstr(" kernel-toolchain"), HasSubstr(" buildkernel"),
                                    HasSubstr(" installkernel")));
  EXPECT_THAT(commands[1], HasSubstr("-j3"));
  EXPECT_THAT(commands[1], HasSubstr("SRCCONF=" + (ws.root() / "conf/src.conf").string()));
  EXPECT_THAT(tree.calls(), IsEmpty());
  const FakeTree other;
  const std::vector<std::string> made = other.open().build_commands(FakeTree::conf());
  ASSERT_EQ(made.size(), 1u);
  EXPECT_THAT(made[0], HasSubstr("make -C " + other.source.string()));
  EXPECT_EQ(other.kernel_makes(), 0);
}

TEST(FreebsdBuild, KernelsShareTheToolchain) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  ws.build(FakeFreebsdTree::conf());
  const KernelArtifact other = ws.build(FakeFreebsdTree::conf().set("ident", "OTHER").enable("FANCY"));
  EXPECT_TRUE(holds(other.vmlinux, "OTHER"));
  EXPECT_THAT(tree.calls(),
              ElementsAre("kernel-toolchain", "config", "installkernel", "config", "installkernel"));
}

TEST(FreebsdBuild, FailuresSayWhatIsWrong) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  tree.write("sys/kern/kern_exit.c", "int broken(\n");
  try {
    ws.build(FakeFreebsdTree::conf());
    FAIL() << "it was built";
  } catch (const BuildError& error) {
    ASSERT_FALSE(error.diagnostics().empty());
    EXPECT_EQ(error.diagnostics()[0].file, tree.source / "sys/kern/kern_exit.c");
    EXPECT_TRUE(local_host()->exists(error.log()));
  }
  tree.write("sys/kern/kern_exit.c", "void start(void) {}\n");
  tree.write("sys/conf/files", "dev/x/x.c optional NOSUCH\n");  // the tables have it, the tool has not
  EXPECT_THAT(text_of([&] { ws.build(FakeFreebsdTree::conf().enable("device NOSUCH")); }),
              HasSubstr("device \"NOSUCH\" is unknown"));
}

TEST(FreebsdBuild, TheTreesOwnConfigIsAskedBeforeAnythingIsBuilt) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  tree.write("sys/conf/files", "dev/md/md.c optional md\ndev/x/x.c optional NOSUCH\n");
  const KernConf unknown = FakeFreebsdTree::conf().enable("device NOSUCH");
  EXPECT_EQ(text_of([&] { unknown.resolve(ws); }), "");  // the tool is not built yet
  try {
    ws.build(unknown);
    FAIL() << "it was built";
  } catch (const ConfigError& error) {
    EXPECT_EQ(
        error.reason(),
        "config(8) of the tree refuses it: device \"NOSUCH\" is unknown: device NOSUCH (asked for by: user)");
  }
  EXPECT_THAT(tree.calls(), ElementsAre("kernel-toolchain"));
  EXPECT_THAT(text_of([&] { unknown.resolve(ws); }), HasSubstr("device NOSUCH (asked for by: user)"));
  // A line's number is one of the configuration with its includes: told is what stands there.
  tree.write("sys/amd64/conf/MINIMAL", "cpu HAMMER\nident MINIMAL\n\nmakeoptions BAD=1\n");
  EXPECT_THAT(text_of([&] { FakeFreebsdTree::conf().resolve(ws); }),
              HasSubstr("syntax error: makeoptions BAD=1 (asked for by: MINIMAL:4)"));
  EXPECT_FALSE(local_host()->exists(ws.obj() / ".kdev/check"));
  EXPECT_THAT(local_host()->entries(ws.run()), IsEmpty());
}

TEST(FreebsdBuild, ATreeThatCannotBeBuiltHereIsRefused) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const std::vector<std::function<void()>> builds = {[&] { ws.build(FakeFreebsdTree::conf()); },
                                                     [&] { ws.build_userland(); }};
  local_host()->remove_all(tree.source / "usr.sbin/config");
  for (const auto& build : builds)
    EXPECT_THAT(text_of(build), HasSubstr("usr.sbin/config is not there: the tree is not whole"));
  local_host()->remove_all(tree.source / "tools/build/make.py");
  for (const auto& build : builds) EXPECT_THAT(text_of(build), HasSubstr("tools/build/make.py is not there"));
  EXPECT_THAT(tree.calls(), IsEmpty());
}

TEST(FreebsdBuild, AKernelIsInstalledUnderAnyName) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  Host& host = *local_host();
  const KernelArtifact kernel = ws.build(FakeFreebsdTree::conf());
  const InstalledKernel usual = ws.install_kernel(kernel);
  EXPECT_EQ(usual.name, "kernel");
  EXPECT_EQ(usual.kernel, ws.sysroot() / "boot/kernel/kernel");
  EXPECT_EQ(host.read_file(usual.debug / "kernel.debug"), "kernel.debug");
  EXPECT_EQ(host.read_file(usual.debug / "nullfs.ko.debug"), "nullfs.ko.debug");

  const Path dest = tree.top / "stage";
  tree.top.write("stage/METALOG",
                 ".//boot type=dir uname=root gname=wheel mode=0755\n"
                 "./boot/debug0/old.ko type=file uname=root gname=wheel mode=0555\n"
                 "./boot/debug0.old/kernel type=file uname=root gname=wheel mode=0555\n");
  tree.top.write("stage/boot/debug0/old.ko", "of an earlier one");
  const InstalledKernel named = ws.install_kernel(kernel, dest, "debug0");
  EXPECT_EQ(host.read_file(named.kernel), "kernel");
  EXPECT_EQ(named.modules, dest / "boot/debug0");
  EXPECT_TRUE(host.is_file(named.modules / "nullfs.ko"));
  EXPECT_FALSE(host.exists(named.modules / "old.ko"));
  EXPECT_FALSE(host.exists(dest / "boot/kernel"));
  const std::string log = host.read_file(named.metalog);
  const std::string dir = " type=dir uname=root gname=wheel mode=0755\n";
  EXPECT_EQ(
      log,
      ".//boot" + dir + "./boot/debug0.old/kernel type=file uname=root gname=wheel mode=0555\n" +
          "./boot/debug0" + dir + "./usr" + dir + "./usr/lib" + dir + "./usr/lib/debug" + dir +
          "./usr/lib/debug/boot" + dir + "./usr/lib/debug/boot/debug0" + dir +
          "./boot/debug0/kernel type=file uname=root gname=wheel mode=0555 size=6\n"
          "./usr/lib/debug/boot/debug0/kernel.debug type=file uname=root gname=wheel mode=0555 size=12\n"
          "./boot/debug0/nullfs.ko type=file uname=root gname=wheel mode=0555 size=9\n"
          "./usr/lib/debug/boot/debug0/nullfs.ko.debug type=file uname=root gname=wheel mode=0555 size=15\n");
  EXPECT_EQ(ws.install_kernel(kernel, dest, "debug0"), named);
  EXPECT_EQ(host.read_file(named.metalog).size(), log.size());  // nothing stands there twice
  EXPECT_THAT(tree.calls(), ElementsAre("kernel-toolchain", "config", "installkernel"));
  for (const char* name : {"..", "a/b", "a b"})
    EXPECT_THROW(ws.install_kernel(kernel, dest, name), ConfigError) << name;
}

TEST(LinuxInstall, BootAndModulesAsAGuestHasThem) {
  const FakeTree tree;
  const Workspace ws = tree.open();
  Host& host = *local_host();
  const KernelArtifact kernel = ws.build(FakeTree::conf(), {.targets = {"vmlinux", "bzImage", "modules"}});
  const InstalledKernel usual = ws.install_kernel(kernel, tree.top / "stage");
  EXPECT_EQ(usual.name, kernel.release);
  EXPECT_EQ(usual.kernel, tree.top / "stage/boot" / ("vmlinuz-" + kernel.release));
  EXPECT_EQ(host.read_file(usual.kernel), host.read_file(kernel.bzimage));
  EXPECT_EQ(host.read_file(usual.debug / ("vmlinux-" + kernel.release)), host.read_file(kernel.vmlinux));
  EXPECT_TRUE(host.is_file(tree.top / "stage/boot" / ("config-" + kernel.release)));
  EXPECT_EQ(usual.modules.empty(), kernel.modules.empty());
  if (!kernel.modules.empty()) {
    EXPECT_EQ(usual.modules, tree.top / "stage/lib/modules" / kernel.release);
    EXPECT_TRUE(host.is_directory(usual.modules));
  }
  EXPECT_EQ(ws.install_kernel(kernel, tree.top / "stage", "mine").kernel,
            tree.top / "stage/boot/vmlinuz-mine");
  KernelArtifact bare = kernel;
  bare.bzimage.clear();
  EXPECT_THAT(text_of([&] { ws.install_kernel(bare, tree.top / "stage"); }), HasSubstr("targets bzImage"));
}

/// A machine with FreeBSD, as far as what is asked of it.
class FreebsdHost final : public FarHost {
 public:
  using FarHost::FarHost;
  std::string system = "FreeBSD";
  bool filemon = true;
  ProcessResult run(const Command& command, const RunOptions& options) override {
    if (command.argv != std::vector<std::string>{"uname", "-s"}) return FarHost::run(command, options);
    ProcessResult result;
    result.out = system + "\n";
    return result;
  }
  FileStatus status(const Path& path) override {
    if (path != Path("/dev/filemon")) return FarHost::status(path);
    return {.type = filemon ? FileStatus::Type::other : FileStatus::Type::missing};
  }
};

TEST(FreebsdBuild, MetaModeIsForHostsThatHaveFilemon) {
  const FakeFreebsdTree tree;
  FreebsdHost host(tree.top / "");
  const guest::MakeRequest request{.source = tree.source, .root = tree.top / "ws"};
  const auto arguments = [&] { return guest::freebsd_make(host, request, {"buildkernel"}).argv; };
  EXPECT_THAT(arguments(), testing::Contains("WITH_META_MODE=yes"));
  host.filemon = false;
  EXPECT_THAT(arguments(), testing::Not(testing::Contains("WITH_META_MODE=yes")));
  host.filemon = true;
  host.system = "Linux";
  EXPECT_THAT(arguments(), testing::Not(testing::Contains("WITH_META_MODE=yes")));
  for (const std::string& command : tree.open().build_commands(FakeFreebsdTree::conf()))
    EXPECT_THAT(command, testing::Not(HasSubstr("META_MODE")));

  // There make names the target and writes its own records.
  const guest::BuildRules& rules = guest::freebsd_build_rules();
  EXPECT_EQ(rules.made_object("Building /obj/sys/K/kern_fork.o"), "/obj/sys/K/kern_fork.o");
  EXPECT_EQ(rules.made_object("Building /obj/sys/K/vers.c"), "");
  EXPECT_EQ(rules.recorded_output("/obj/sys/K/kern_fork.o.meta"), Path("/obj/sys/K/kern_fork.o"));
  EXPECT_EQ(rules.recorded_output("/obj/sys/K/.depend.kern_fork.o"), Path("/obj/sys/K/kern_fork.o"));
  EXPECT_EQ(rules.recorded_output("/obj/sys/K/vers.c.meta"), Path());
  tree.top.write("obj/a.o", "object");
  tree.top.write("obj/a.o.meta", "record");
  tree.top.write("obj/b.o", "object");
  EXPECT_THAT(rules.half_written(host, {tree.top / "obj/a.o", tree.top / "obj/b.o"}),
              ElementsAre(tree.top / "obj/b.o"));
}

TEST(FreebsdBuild, ModulesAreBuiltInACopyOfTheirFolder) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const KernelArtifact kernel = ws.build(FakeFreebsdTree::conf());
  const Path dir = tree.top / "hello";
  tree.top.write("hello/hello.c", "const char *hello_text = __FILE__;\n");
  EXPECT_THAT(text_of([&] { ws.build_module(dir, kernel); }), HasSubstr("no Makefile"));
  tree.top.write("hello/Makefile", "KMOD=hello\n");
  EXPECT_THAT(text_of([&] { ws.build_module(dir, kernel); }), HasSubstr("bsd.kmod.mk"));
  tree.top.write("hello/Makefile", "KMOD=hello\nSRCS=hello.c\n.include <bsd.kmod.mk>\n");
  const ModuleArtifact module = ws.build_module(dir, kernel);
  EXPECT_EQ(module.name, "hello");
  EXPECT_EQ(module.kernel_id, kernel.id);
  EXPECT_TRUE(local_host()->exists(module.ko));
  EXPECT_FALSE(local_host()->exists(dir / "hello.o"));
  EXPECT_TRUE(holds(module.ko, dir.string()));  // debug information names the user's folder
  EXPECT_TRUE(ws.build_module(dir, kernel).from_store);
  tree.top.write("hello/hello.c", "int broken(\n");
  EXPECT_THAT(text_of([&] { ws.build_module(dir, kernel); }), HasSubstr((dir / "hello.c").string()));
  tree.write("sys/sys/sizes.h", "#define SIZE 4\n");
  EXPECT_THAT(text_of([&] { ws.build_module(dir, kernel); }), HasSubstr("changed since kernel"));
}

TEST(FreebsdUserland, RescueWithTheAgentIsAnImage) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const UserlandArtifact userland = ws.build_userland();
  EXPECT_EQ(userland.kind, "rescue");
  EXPECT_EQ(userland.os, Os::freebsd);
  EXPECT_EQ(userland.release, "13.2-RELEASE");
  EXPECT_THAT(tree.calls(), ElementsAre("toolchain", "rescue", "makefs", "loaders"));
  Host& host = *local_host();
  EXPECT_EQ(host.read_file(userland.root / "bin/cat"), "one program");
  EXPECT_EQ(host.read_file(userland.root / "rescue/["), "one program");
  EXPECT_FALSE(host.link_status(userland.root / "rescue/-sh").exists());
  EXPECT_TRUE(host.is_file(userland.makefs));
  EXPECT_TRUE(host.is_file(userland.sysroot / "usr/lib/libc.a"));
  EXPECT_EQ(UserlandArtifact::from_json(userland.to_json()), userland);

  const UserlandArtifact again = ws.build_userland("rescue");
  EXPECT_TRUE(again.from_store);
  EXPECT_EQ(again.id, userland.id);
  // The kernel's own sources are not what it is made from.
  tree.write("sys/kern/kern_fork.c", "int other;\n");
  EXPECT_TRUE(ws.build_userland().from_store);
  tree.write("usr.bin/true/true.c", "int main(void) { return 0; }\n");
  EXPECT_FALSE(ws.build_userland().from_store);
  EXPECT_EQ(tree.calls().size(), 8u);
}

TEST(FreebsdUserland, TheLoadersComeWithWhatTheyRead) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  const UserlandArtifact userland = ws.build_userland();
  Host& host = *local_host();
  EXPECT_EQ(userland.boot, userland.dir / "boot");
  EXPECT_EQ(host.read_file(userland.boot / "loader"), "loader");
  EXPECT_EQ(host.read_file(userland.boot / "lua/loader.lua"), "-- menu");
  EXPECT_EQ(host.read_file(userland.boot / "device.hints"), "hint.uart.0.at=\"isa\"\n");
  EXPECT_FALSE(host.exists(userland.dir / "boot.new"));
  EXPECT_TRUE(host.is_file(userland.mkimg));
  EXPECT_TRUE(userland.metalog.empty());
  EXPECT_EQ(UserlandArtifact::from_json(userland.to_json()), userland);

  // They share a few of the kernel's sources; nothing else is made of those.
  tree.write("sys/teken/teken.c", "int more;\n");
  EXPECT_FALSE(ws.build_userland().from_store);
  EXPECT_THAT(tree.calls(), ElementsAre("toolchain", "rescue", "makefs", "loaders", "loaders"));
}

TEST(FreebsdUserland, LoadersThatAreLeftOutAreNotMissed) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  Host& host = *local_host();
  const Path conf = ws.root() / "conf/src.conf";
  EXPECT_FALSE(ws.build_userland().boot.empty());
  host.write_file(conf, host.read_file(conf) + "WITHOUT_BOOT=yes\n");
  const UserlandArtifact userland = ws.build_userland();
  EXPECT_TRUE(userland.boot.empty());
  EXPECT_FALSE(host.exists(userland.dir / "boot"));
}

TEST(FreebsdUserland, AWorldIsInstalledWithoutRootsRights) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  EXPECT_THAT(ws.userlands(), ElementsAre("rescue", "world"));
  const UserlandArtifact world = ws.build_userland("world");
  EXPECT_EQ(world.kind, "world");
  EXPECT_THAT(tree.calls(), ElementsAre("buildworld", "makefs", "installworld", "distribution"));
  Host& host = *local_host();
  EXPECT_EQ(host.read_file(world.root / "bin/sh"), "a shell");
  EXPECT_TRUE(host.is_file(world.root / "etc/master.passwd"));
  EXPECT_TRUE(host.is_file(world.root / "init"));  // kdev's agent
  EXPECT_EQ(world.metalog, world.dir / "METALOG");
  const std::string log = host.read_file(world.metalog);
  for (const char* line :
       {"./bin/sh type=file", "./etc/master.passwd type=file uname=root gname=wheel mode=0600",
        "./init type=file", "./m type=dir"})
    EXPECT_THAT(log, HasSubstr(line));
  EXPECT_EQ(host.read_file(world.boot / "loader"), "loader");
  EXPECT_TRUE(host.is_file(world.makefs));
  EXPECT_TRUE(host.is_file(world.mkimg));
  EXPECT_EQ(UserlandArtifact::from_json(world.to_json()), world);
  EXPECT_TRUE(ws.build_userland("world").from_store);
  EXPECT_NE(ws.build_userland().id, world.id);
  // What the tree cannot build is named; src.conf can leave it out.
  tree.write("lib/broken", "");
  EXPECT_THAT(text_of([&] { ws.build_userland("world"); }), HasSubstr("no sqlite3.c"));
}

TEST(FreebsdUserland, WhatCannotBeIsSaid) {
  const FakeFreebsdTree tree;
  const Workspace ws = tree.open();
  EXPECT_THAT(text_of([&] { ws.build_userland("galaxy"); }), HasSubstr("there is: rescue"));
  tree.write("rescue/broken", "");
  EXPECT_THAT(text_of([&] { ws.build_userland(); }), HasSubstr("make the rescue"));
  local_host()->remove_all(tree.source / "rescue/broken");
  EXPECT_FALSE(ws.build_userland().from_store);
  const FakeTree other;
  EXPECT_THAT(text_of([&] { other.open().build_userland(); }), HasSubstr("holds the kernel alone"));
}

}  // namespace
}  // namespace kdev::test
