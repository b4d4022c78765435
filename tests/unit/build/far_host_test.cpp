// Workspaces and builds on a host whose paths mean nothing to this process.
#include "fakes/far_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <kdev/error.hpp>
#include <kdev/workspace.hpp>

#include "unit/build/fake_tree.hpp"

namespace kdev::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OnAFarHost : public testing::Test {
 protected:
  void SetUp() override {
    if (!host->works()) GTEST_SKIP() << "no mount namespace can be made here";
    ASSERT_FALSE(boost::filesystem::exists(FarHost::far()));
  }
  Workspace open() {
    return Workspace(FarHost::far() / "ws", {.source = FarHost::far() / "linux", .host = host});
  }
  Path near(const Path& path) const { return tree.top / path.lexically_relative(FarHost::far()); }

  FakeTree tree;
  std::shared_ptr<FarHost> host = std::make_shared<FarHost>(tree.top);
};

TEST_F(OnAFarHost, AKernelIsBuiltAndFoundAgain) {
  const Workspace ws = open();
  EXPECT_EQ(ws.source(), FarHost::far() / "linux");
  const KernelArtifact kernel = ws.build(FakeTree::conf());
  EXPECT_EQ(kernel.release, "6.99.1");
  EXPECT_EQ(kernel.build_id.size(), 40u);
  for (const Path& path :
       {kernel.dir, kernel.vmlinux, kernel.image, kernel.config, kernel.system_map, kernel.obj}) {
    EXPECT_TRUE(path.string().starts_with("/mnt/far/ws/artifacts/")) << path;
    EXPECT_TRUE(host->exists(path)) << path;
    EXPECT_FALSE(boost::filesystem::exists(path)) << path;
  }
  EXPECT_TRUE(holds(near(kernel.vmlinux), "fork-one"));
  EXPECT_THAT(host->entries(ws.run()), IsEmpty());

  const long made = tree.kernel_makes();
  EXPECT_TRUE(open().build(FakeTree::conf()).from_store);
  EXPECT_EQ(tree.kernel_makes(), made);
  EXPECT_EQ(ws.stored().size(), 1u);
}

TEST_F(OnAFarHost, AnEditedFileIsSeenHoweverItIsDated) {
  const Workspace ws = open();
  const KernelArtifact before = ws.build(FakeTree::conf());
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  tree.backdate("kernel/fork.c");
  const KernelArtifact after = ws.build(FakeTree::conf());
  EXPECT_NE(after.id, before.id);
  EXPECT_TRUE(holds(near(after.vmlinux), "fork-two"));
}

TEST_F(OnAFarHost, AnErrorNamesTheFarFile) {
  const Workspace ws = open();
  tree.write("kernel/sched.c", "int broken(\n");
  try {
    ws.build(FakeTree::conf());
    FAIL() << "it was built";
  } catch (const BuildError& error) {
    ASSERT_FALSE(error.diagnostics().empty());
    EXPECT_EQ(error.diagnostics()[0].file, FarHost::far() / "linux/kernel/sched.c");
    EXPECT_THAT(error.log().string(), HasSubstr("/mnt/far/ws/obj/"));
    EXPECT_TRUE(host->exists(error.log()));
  }
}

TEST_F(OnAFarHost, ScaffoldsAndLostOptions) {
  const Workspace ws = open();
  const Path dir = ws.scaffold("hello", "hi");
  EXPECT_TRUE(host->is_file(dir / "hi.c"));
  EXPECT_THROW(ws.scaffold("hello", "hi"), ConfigError);
  const ResolvedConf resolved = FakeTree::conf().enable("FANCIER").try_resolve(ws);
  ASSERT_EQ(resolved.lost.size(), 1u);
  EXPECT_THAT(resolved.lost[0].unmet, ElementsAre(HasSubstr("FANCY")));
}

TEST_F(OnAFarHost, WhatIsNoTreeThereIsRefused) {
  EXPECT_THROW(Workspace(FarHost::far() / "ws", {.source = tree.source / "nothing", .host = host}),
               ConfigError);
  EXPECT_THROW(Workspace(FarHost::far() / "linux/ws", {.source = FarHost::far() / "linux", .host = host}),
               ConfigError);
  const Workspace home("~/ws", {.source = FarHost::far() / "linux", .host = host});
  EXPECT_EQ(home.root(), "/mnt/far/home/ws");
}

}  // namespace
}  // namespace kdev::test
