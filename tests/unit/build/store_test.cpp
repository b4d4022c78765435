// What makes the store build again, and what does not.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <kdev/error.hpp>

#include "build/tree_state.hpp"
#include "unit/build/fake_tree.hpp"

using namespace kdev;
using namespace kdev::test;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::UnorderedElementsAre;
namespace fs = boost::filesystem;

class Store : public testing::Test {
 protected:
  KernelArtifact build(const KernConf& conf = FakeTree::conf(), BuildOptions options = {}) {
    return tree.open().build(conf, options);
  }
  /// Objects that the last make of this configuration compiled.
  std::vector<std::string> compiled(const KernelArtifact& kernel) {
    for (const auto& entry : fs::directory_iterator(tree.top / "ws/obj"))
      if (holds(entry.path() / ".config", conf_of(kernel)) &&
          fs::file_size(entry.path() / ".config") == fs::file_size(kernel.config))
        return made_objects(entry.path());
    return {"no output tree"};
  }
  static std::string conf_of(const KernelArtifact& kernel) { return local_host()->read_file(kernel.config); }

  FakeTree tree;
};

TEST_F(Store, AnArtifactHasEverything) {
  const KernelArtifact kernel = build();
  EXPECT_FALSE(kernel.from_store);
  EXPECT_EQ(kernel.release, "6.99.1");
  EXPECT_EQ(kernel.arch, "x86_64");
  EXPECT_EQ(kernel.build_id.size(), 40u);
  EXPECT_EQ(kernel.dir, tree.top / "ws/artifacts" / kernel.id);
  EXPECT_EQ(kernel.source, tree.source);
  EXPECT_TRUE(holds(kernel.vmlinux, "main-one version-one"));
  EXPECT_TRUE(holds(kernel.vmlinux, "debug_info"));
  EXPECT_TRUE(holds(kernel.image, "main-one version-one"));
  EXPECT_FALSE(holds(kernel.image, "debug_info"));
  EXPECT_TRUE(holds(kernel.system_map, "fork_text"));
  EXPECT_TRUE(holds(kernel.config, "CONFIG_X86_64=y"));
  EXPECT_TRUE(fs::is_directory(kernel.obj));
  EXPECT_TRUE(kernel.bzimage.empty());
  EXPECT_TRUE(kernel.modules.empty());
}

TEST_F(Store, UnchangedReturnsWithoutMake) {
  const KernelArtifact first = build();
  const std::size_t makes = tree.makes().size();
  const KernelArtifact second = build();
  EXPECT_TRUE(second.from_store);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(tree.makes().size(), makes);
  KernelArtifact same = second;
  same.from_store = false;
  EXPECT_EQ(same, first);
}

TEST_F(Store, TouchedReturnsWithoutMake) {
  const KernelArtifact first = build();
  tree.write("kernel/fork.c", tree.read("kernel/fork.c"));
  tree.backdate("kernel/sched.c");
  EXPECT_EQ(build().id, first.id);
  EXPECT_EQ(tree.kernel_makes(), 1);
}

TEST_F(Store, EditedIsBuiltAndOnlyWhatChanged) {
  build();
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  const KernelArtifact edited = build();
  EXPECT_FALSE(edited.from_store);
  EXPECT_TRUE(holds(edited.image, "fork-two"));
  EXPECT_FALSE(holds(edited.image, "fork-one"));
  EXPECT_THAT(compiled(edited), ElementsAre("kernel/fork.o"));
}

// The same size, within the same moment, and the old date put back: as fast as a script can do it.
TEST_F(Store, EditedWithItsOldDateIsBuilt) {
  build();
  tree.write("kernel/sched.c", "const char *sched_text = \"sched-two\";\n");
  tree.backdate("kernel/sched.c");
  const KernelArtifact edited = build();
  EXPECT_TRUE(holds(edited.image, "sched-two"));
  EXPECT_FALSE(holds(edited.image, "sched-one"));
}

TEST_F(Store, RevertedComesFromTheStoreAndIsNotMissedByTheNextBuild) {
  const std::string original = tree.read("kernel/fork.c");
  const KernelArtifact first = build();
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  build();
  // Put back with its old date, as mv and cp -p do: make would take the object of the edited file for up to
  // date.
  tree.write("kernel/fork.c", original);
  tree.backdate("kernel/fork.c");
  const KernelArtifact reverted = build();
  EXPECT_TRUE(reverted.from_store);
  EXPECT_EQ(reverted.id, first.id);
  tree.write("kernel/sched.c", "const char *sched_text = \"sched-two\";\n");
  const KernelArtifact next = build();
  EXPECT_TRUE(holds(next.image, "fork-one"));
  EXPECT_FALSE(holds(next.image, "fork-two"));
  EXPECT_TRUE(holds(next.image, "sched-two"));
  EXPECT_THAT(compiled(next), UnorderedElementsAre("kernel/fork.o", "kernel/sched.o"));
}

TEST_F(Store, AChangedHeaderRebuildsWhoIncludesIt) {
  build();
  tree.write("include/version.h", "#define VERSION_TEXT \"version-two\"\n");
  const KernelArtifact kernel = build();
  EXPECT_TRUE(holds(kernel.image, "version-two"));
  EXPECT_THAT(compiled(kernel), ElementsAre("init/main.o"));
}

TEST_F(Store, ANewFileIsBuilt) {
  const KernelArtifact first = build();
  tree.write("kernel/new.c", "const char *new_text = \"new-one\";\n");
  const KernelArtifact with = build();
  EXPECT_NE(with.id, first.id);
  EXPECT_TRUE(holds(with.image, "new-one"));
  EXPECT_THAT(compiled(with), ElementsAre("kernel/new.o"));
}

TEST_F(Store, ANewHeaderThatShadowsAnotherIsNotMissed) {
  build();
  tree.write("include/sizes.h", "#define SIZE 5\nconst char *sizes_text = \"sizes-two\";\n");
  tree.backdate("include/sizes.h");
  const KernelArtifact kernel = build();
  EXPECT_TRUE(holds(kernel.image, "sizes-two"));
  EXPECT_FALSE(holds(kernel.image, "sizes-one"));
}

TEST_F(Store, ADeletedFileIsGone) {
  build();
  tree.remove("kernel/sched.c");
  EXPECT_FALSE(holds(build().image, "sched-one"));
}

TEST_F(Store, ADeletedHeaderGivesWayToAnother) {
  tree.write("include/sizes.h", "#define SIZE 5\nconst char *sizes_text = \"sizes-two\";\n");
  EXPECT_TRUE(holds(build().image, "sizes-two"));
  tree.remove("include/sizes.h");
  EXPECT_TRUE(holds(build().image, "sizes-one"));
}

TEST_F(Store, ALinkPointedElsewhereIsBuilt) {
  tree.write("kernel/variants/a.txt", "const char *v = \"variant-a\";\n");
  tree.write("kernel/variants/b.txt", "const char *v = \"variant-b\";\n");
  fs::create_symlink("variants/a.txt", tree.source / "kernel/variant.c");
  EXPECT_TRUE(holds(build().image, "variant-a"));
  fs::remove(tree.source / "kernel/variant.c");
  fs::create_symlink("variants/b.txt", tree.source / "kernel/variant.c");
  tree.backdate("kernel/variant.c");
  EXPECT_TRUE(holds(build().image, "variant-b"));
}

TEST_F(Store, AScriptThatNoDependencyNamesStartsOver) {
  const KernelArtifact first = build();
  tree.write("scripts/tool.sh", "#!/bin/sh\necho another\n", true);
  tree.backdate("scripts/tool.sh");
  const KernelArtifact second = build();
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(compiled(second).size(), 3u);
}

TEST_F(Store, VersionControlAndEditorsFilesDoNotCount) {
  const KernelArtifact first = build();
  tree.write(".git/HEAD", "ref: refs/heads/x\n");
  tree.write("kernel/.fork.c.swp", "swap");
  tree.write("kernel/fork.c~", "old");
  tree.write("tags", "index");
  EXPECT_EQ(build().id, first.id);
  EXPECT_EQ(tree.kernel_makes(), 1);
}

TEST_F(Store, AnotherCompilerIsAnotherKernel) {
  const KernelArtifact first = build();
  tree.add_program("gcc", "#!/bin/sh\nexec /usr/bin/gcc -DSIZE=9 \"$@\"\n");
  const KernelArtifact second = build();
  EXPECT_NE(second.id, first.id);
  EXPECT_FALSE(second.from_store);
  EXPECT_EQ(compiled(second).size(), 3u);
  // The same name, the same size, the same date, other bytes.
  struct stat before {};
  ::stat((tree.bin / "gcc").c_str(), &before);
  tree.add_program("gcc", "#!/bin/sh\nexec /usr/bin/gcc -DSIZE=8 \"$@\"\n");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ::utimensat(AT_FDCWD, (tree.bin / "gcc").c_str(), times, 0);
  const KernelArtifact third = build();
  EXPECT_NE(third.id, second.id);
  tree.remove_program("gcc");
  const KernelArtifact back = build();
  EXPECT_EQ(back.id, first.id);
  EXPECT_TRUE(back.from_store);
}

TEST_F(Store, FlagsAndTargetsAreInTheKey) {
  const KernelArtifact plain = build();
  tree.write("init/main.c",
             tree.read("init/main.c") + "#ifdef MARK\nconst char *mark = \"marked\";\n#endif\n");
  const KernelArtifact unmarked = build();
  EXPECT_FALSE(holds(unmarked.image, "marked"));
  const KernelArtifact marked = build(FakeTree::conf().make_variable("KCFLAGS", "-DMARK"));
  EXPECT_TRUE(holds(marked.image, "marked"));
  BuildOptions options;
  options.targets = {"bzImage"};
  const KernelArtifact image = build(FakeTree::conf(), options);
  EXPECT_NE(image.id, unmarked.id);
  EXPECT_TRUE(fs::exists(image.bzimage));
  EXPECT_TRUE(build(FakeTree::conf(), options).from_store);
  // An old bzImage in the output tree is not taken for this build's.
  tree.write("kernel/sched.c", "const char *sched_text = \"sched-two\";\n");
  EXPECT_TRUE(build().bzimage.empty());
}

TEST_F(Store, SwitchingBetweenConfigsBuildsEachOnce) {
  const KernConf plain = FakeTree::conf(), extra = FakeTree::conf().enable("EXTRA");
  build(plain);
  EXPECT_TRUE(holds(build(extra).image, "extra-one"));
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  const KernelArtifact a = build(plain), b = build(extra);
  EXPECT_THAT(compiled(a), ElementsAre("kernel/fork.o"));
  EXPECT_THAT(compiled(b), ElementsAre("kernel/fork.o"));
  EXPECT_TRUE(build(plain).from_store);
  EXPECT_TRUE(build(extra).from_store);
}

TEST_F(Store, AConfigSaidDifferentlyIsTheSameKernel) {
  const KernelArtifact first = build(FakeTree::conf().enable("FANCY"));
  const KernelArtifact second = build(FakeTree::conf().disable("FANCY").enable("CONFIG_FANCY"));
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.from_store);
}

TEST_F(Store, AChangedKconfigIsReadAgain) {
  const KernelArtifact first = build();
  std::string kconfig = tree.read("Kconfig");
  kconfig.insert(kconfig.find("\tbool \"one more file\"\n") + 22, "\tdefault y\n");
  tree.write("Kconfig", kconfig);
  tree.backdate("Kconfig");
  EXPECT_TRUE(holds(build().image, "extra-one"));
}

TEST_F(Store, InitramfsContentIsInTheKey) {
  fs::create_directories(tree.top / "rootfs/bin");
  const auto write = [&](const char* name, const std::string& text) {
    local_host()->write_file(tree.top / name, text);
  };
  write("rootfs/bin/init", "one");
  const KernConf conf = FakeTree::conf().initramfs_source(tree.top / "rootfs");
  const KernelArtifact first = build(conf);
  EXPECT_TRUE(build(conf).from_store);
  write("rootfs/bin/init", "two");
  const KernelArtifact second = build(conf);
  EXPECT_NE(second.id, first.id);
  fs::permissions(tree.top / "rootfs/bin/init", fs::perms(0600));
  EXPECT_NE(build(conf).id, second.id);
  // A list names files in turn.
  write("data", "one");
  write("list", "dir /bin 755 0 0\nfile /bin/data " + (tree.top / "data").string() + " 644 0 0\n");
  const KernConf listed = FakeTree::conf().initramfs_source(tree.top / "list");
  const KernelArtifact third = build(listed);
  EXPECT_TRUE(build(listed).from_store);
  write("data", "two");
  EXPECT_NE(build(listed).id, third.id);
}

TEST_F(Store, AListsFileBehindAVariableIsInTheKey) {
  const Path list = tree.top / "list", init = tree.top / "init.sh";
  local_host()->write_file(init, "one");
  local_host()->write_file(list,
                           "# file /a ${NOT_SET} 755 0 0\n\tfile /init ${KDEV_TEST_TOP}/init.sh 755 0 0\n");
  setenv("KDEV_TEST_TOP", tree.top.c_str(), 1);
  const KernConf conf = FakeTree::conf().initramfs_source(list);
  const KernelArtifact first = build(conf);
  EXPECT_TRUE(build(conf).from_store);
  local_host()->write_file(init, "two");
  const KernelArtifact second = build(conf);
  unsetenv("KDEV_TEST_TOP");
  EXPECT_FALSE(second.from_store);
  EXPECT_NE(second.id, first.id);
}

TEST_F(Store, ATreeEditedWhileItIsBuiltIsBuiltAgain) {
  build();
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  bool edited = false;
  std::string notices;
  BuildOptions options;
  options.on_event = [&](const Event& event) {
    if (const auto* notice = std::get_if<Notice>(&event)) notices += notice->text;
    const auto* progress = std::get_if<Progress>(&event);
    if (!progress || edited) return;
    edited = true;
    tree.write("kernel/fork.c", "const char *fork_text = \"fork-three\";\n");
    tree.backdate("kernel/fork.c");
  };
  const KernelArtifact kernel = build(FakeTree::conf(), options);
  EXPECT_TRUE(edited);
  EXPECT_TRUE(holds(kernel.image, "fork-three"));
  EXPECT_NE(notices.find("changed while"), notices.npos);
  const KernelArtifact again = build();
  EXPECT_TRUE(again.from_store);
  EXPECT_EQ(again.id, kernel.id);
}

TEST_F(Store, ADamagedArtifactIsBuiltAnew) {
  const KernelArtifact first = build();
  fs::resize_file(first.image, 10);
  const KernelArtifact second = build();
  EXPECT_FALSE(second.from_store);
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(holds(second.image, "main-one"));
  fs::remove(second.system_map);
  EXPECT_FALSE(build().from_store);
  local_host()->write_file(second.dir / "artifact.json", "{");
  EXPECT_FALSE(build().from_store);
  EXPECT_TRUE(build().from_store);
}

TEST_F(Store, ALostOutputTreeOrMemoryIsNoHarm) {
  build();
  fs::remove_all(tree.top / "ws/obj");
  EXPECT_TRUE(build().from_store);
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  fs::remove_all(tree.top / "ws/obj");
  EXPECT_TRUE(holds(build().image, "fork-two"));
}

TEST_F(Store, TheSourceTreeIsNeverWrittenTo) {
  const TreeState before = TreeState::scan(*local_host(), tree.source, {}, {}, {});
  build();
  build(FakeTree::conf().enable("EXTRA"));
  const TreeState after = TreeState::scan(*local_host(), tree.source, {}, {}, {});
  EXPECT_TRUE(after.untouched_since(before));
  EXPECT_EQ(after.counts().files, before.counts().files);
}

TEST_F(Store, ListsWhatItHas) {
  EXPECT_TRUE(tree.open().stored().empty());
  const KernelArtifact kernel = build();
  const std::vector<StoredArtifact> stored = tree.open().stored();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].id, kernel.id);
  EXPECT_EQ(stored[0].kind, "kernel");
  EXPECT_EQ(stored[0].title, "linux 6.99.1 defconfig");
  EXPECT_EQ(stored[0].dir, kernel.dir);
  EXPECT_GT(stored[0].bytes, 1000u);
}

TEST_F(Store, EventsTellTheStages) {
  std::vector<std::string> told;
  BuildOptions options;
  options.on_event = [&](const Event& event) {
    if (const auto* s = std::get_if<StageStarted>(&event)) told.push_back("+" + s->stage);
    if (const auto* s = std::get_if<StageFinished>(&event)) told.push_back("-" + s->stage + " " + s->outcome);
    const auto* p = std::get_if<Progress>(&event);
    EXPECT_TRUE(!p || p->done <= p->total);
  };
  build(FakeTree::conf(), options);
  EXPECT_THAT(told, ElementsAre("+configure", "-configure done", "+build", "-build done"));
  told.clear();
  build(FakeTree::conf(), options);
  EXPECT_THAT(told, ElementsAre("+configure", "-configure cached", "+build", "-build cached"));
}

TEST_F(Store, TheNextBuildKnowsHowManyObjects) {
  std::vector<long> totals;
  long last = 0;
  BuildOptions options;
  options.on_event = [&](const Event& event) {
    if (const auto* p = std::get_if<Progress>(&event)) totals.push_back(p->total), last = p->done;
  };
  build(FakeTree::conf(), options);
  EXPECT_EQ(last, 3);
  tree.write("include/version.h", "#define VERSION_TEXT \"version-two\"\n");
  totals.clear();
  build(FakeTree::conf(), options);
  ASSERT_FALSE(totals.empty());
  EXPECT_EQ(totals.back(), 1);
}
