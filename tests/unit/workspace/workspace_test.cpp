// Opening workspaces: what is made, remembered, refused and reaped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <kdev/error.hpp>
#include <kdev/workspace.hpp>

#include "host/lease.hpp"
#include "host/lease_file.hpp"
#include "unit/guest/fake_tree.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using test::fake_freebsd;
using test::fake_linux;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ConfigError refused(const Path& root, const WorkspaceOptions& options = {}) {
  try {
    Workspace ws(root, options);
    ADD_FAILURE() << root << " was opened";
  } catch (const ConfigError& e) {
    EXPECT_NE(e.hint(), "");
    return e;
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another exception: " << e.what();
  }
  return ConfigError(ErrorInfo{});
}

/// Every file below, with size and time of change: to see that a tree is untouched.
std::vector<std::string> inventory(const Path& dir) {
  std::vector<std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    struct stat st;
    ::lstat(entry.path().c_str(), &st);
    result.push_back(entry.path().string() + " " + std::to_string(st.st_size) + " " +
                     std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec));
  }
  std::sort(result.begin(), result.end());
  return result;
}

TEST(Workspace, MakesItsFoldersAndLeavesTheTreeAlone) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  const auto before = inventory(source);
  const Workspace ws(dir / "deep/down/ws", {.source = source});
  EXPECT_EQ(ws.root(), dir / "deep/down/ws");
  EXPECT_EQ(ws.source(), source);
  EXPECT_EQ(ws.tree(), detect_source(source));
  EXPECT_TRUE(ws.host().is_local());
  EXPECT_THAT(ws.reaped(), IsEmpty());
  for (const Path& p : {ws.src(), ws.obj(), ws.sysroot(), ws.artifacts(), ws.run()})
    EXPECT_TRUE(fs::is_directory(p)) << p;
  struct stat st;
  ASSERT_EQ(::stat(ws.run().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700u);
  EXPECT_EQ(inventory(source), before);
}

TEST(Workspace, RunIsMadePrivateAgain) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  { Workspace ws(dir / "ws", {.source = source}); }
  ::chmod((dir / "ws/run").c_str(), 0777);
  const Workspace ws(dir / "ws");
  struct stat st;
  ASSERT_EQ(::stat(ws.run().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700u);
}

TEST(Workspace, RemembersItsSource) {
  const TempDir dir;
  const Path source = fake_linux(dir), other = fake_linux(dir, "other");
  { Workspace ws(dir / "ws", {.source = source}); }
  EXPECT_EQ(Workspace(dir / "ws").source(), source);
  EXPECT_EQ(Workspace(dir / "ws", {.source = source}).source(), source);
  fs::create_symlink("linux", dir / "link");
  EXPECT_EQ(Workspace(dir / "ws", {.source = dir / "link"}).source(), source);
  const auto e = refused(dir / "ws", {.source = other});
  EXPECT_THAT(e.reason(), AllOf(HasSubstr(source.string()), HasSubstr(other.string())));
  EXPECT_EQ(Workspace(dir / "ws").source(), source);
}

TEST(Workspace, AMovedTreeMayBeNamedAnew) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  { Workspace ws(dir / "ws", {.source = source}); }
  fs::rename(source, dir / "moved");
  EXPECT_THAT(refused(dir / "ws").reason(), HasSubstr("is gone"));
  EXPECT_EQ(Workspace(dir / "ws", {.source = dir / "moved"}).source(), dir / "moved");
  EXPECT_EQ(Workspace(dir / "ws").source(), dir / "moved");
}

TEST(Workspace, ExpandsTheHomeFolder) {
  const TempDir dir;
  fake_linux(dir);
  const std::string before = ::getenv("HOME") ? ::getenv("HOME") : "";
  ::setenv("HOME", dir.path().c_str(), 1);
  {
    const Workspace ws("~/ws/dev/", {.source = "~/linux"});
    EXPECT_EQ(ws.root(), dir / "ws/dev");
    EXPECT_EQ(ws.source(), dir / "linux");
  }
  EXPECT_EQ(Workspace(Path("~") / "ws" / "dev").root(), dir / "ws/dev");
  ::setenv("HOME", before.c_str(), 1);
  EXPECT_THAT(refused("~nobody/ws", {.source = dir / "linux"}).reason(), HasSubstr("~"));
  EXPECT_FALSE(fs::exists("~nobody"));
  refused("", {.source = dir / "linux"});
}

TEST(Workspace, RelativePathsBecomeAbsolute) {
  const TempDir dir;
  fake_linux(dir);
  const Path before = fs::current_path();
  fs::current_path(dir.path());
  const Workspace ws("x/../ws/.", {.source = "linux"});
  fs::current_path(before);
  EXPECT_EQ(ws.root(), dir / "ws");
}

TEST(Workspace, HasTheConfigurationFilesOfItsGuest) {
  const TempDir dir;
  const Path bsd = fake_freebsd(dir);
  {
    const Workspace ws(dir / "ws", {.source = bsd});
    EXPECT_EQ(ws.tree().os, Os::freebsd);
  }
  for (const char* name : {"src.conf", "make.conf", "src-env.conf"})
    EXPECT_TRUE(fs::is_regular_file(dir / "ws/conf" / name)) << name;
  // They are the user's from then on.
  dir.write("ws/conf/src.conf", "WITHOUT_GAMES=yes\n");
  const Workspace again(dir / "ws", {.source = bsd});
  EXPECT_EQ(local_host()->read_file(dir / "ws/conf/src.conf"), "WITHOUT_GAMES=yes\n");
}

TEST(Workspace, RefusalsWriteNothing) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  dir.write("file", "x");
  EXPECT_THAT(refused(dir / "ws").reason(), HasSubstr("no source tree was named"));
  EXPECT_THAT(refused(dir / "ws", {.source = dir / "nope"}).reason(), HasSubstr("no such folder"));
  EXPECT_THAT(refused(dir / "ws", {.source = dir / "file"}).reason(), HasSubstr("file"));
  EXPECT_THAT(refused(dir / "file", {.source = source}).reason(), HasSubstr("not a folder"));
  EXPECT_THAT(refused(source, {.source = source}).reason(), HasSubstr("never written to"));
  EXPECT_THAT(refused(source / "ws", {.source = source}).reason(), HasSubstr("never written to"));
  fs::create_symlink("linux", dir / "link");
  EXPECT_THAT(refused(dir / "link/ws", {.source = source}).reason(), HasSubstr("never written to"));
  EXPECT_FALSE(fs::exists(dir / "ws"));
  EXPECT_FALSE(fs::exists(source / "ws"));
}

TEST(Workspace, ADirtyTreeIsRefusedAtFirstOnly) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  dir.write("linux/.config", "");
  EXPECT_THAT(refused(dir / "ws", {.source = source}).hint(), HasSubstr("mrproper"));
  EXPECT_FALSE(fs::exists(dir / "ws"));
  fs::remove(source / ".config");
  { Workspace ws(dir / "ws", {.source = source}); }
  // What was built can still be booted.
  dir.write("linux/.config", "");
  EXPECT_NO_THROW(Workspace(dir / "ws"));
}

TEST(Workspace, FoldersOfOthersAreNotTaken) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  dir.write("project/src/main.c", "x");
  dir.write("project/obj/main.o", "x");
  EXPECT_THAT(refused(dir / "project", {.source = source}).reason(), HasSubstr("no workspace"));
  EXPECT_FALSE(fs::exists(dir / "project/run"));
}

TEST(Workspace, DamagedFile) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  { Workspace ws(dir / "ws", {.source = source}); }
  for (const char* text :
       {"", "{", "[]", "{\"source\": 7}", "{\"format\": 1}", "{\"format\": 99, \"source\": \"/x\"}",
        "{\"format\": 1, \"source\": \"/x\", \"os\": \"plan9\"}"}) {
    dir.write("ws/workspace.json", text);
    refused(dir / "ws");
    refused(dir / "ws", {.source = source});
  }
  fs::remove(dir / "ws/workspace.json");
  EXPECT_EQ(Workspace(dir / "ws", {.source = source}).source(), source);
}

TEST(Workspace, ReapsWhatADeadOwnerLeft) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  { Workspace ws(dir / "ws", {.source = source}); }
  dir.write("ws/run/vm0/ram", "x");
  LeaseFile lease = {
      .owner = LeaseOwner::self(), .token = "t", .processes = {}, .paths = {dir / "ws/run/vm0"}, .undo = {}};
  lease.owner.start_time -= 1;
  dir.write("ws/run/vm0.lease", to_json(lease));
  Lease living = Lease::create(dir / "ws/run", "vm1");
  const Workspace ws(dir / "ws");
  EXPECT_THAT(ws.reaped(), ElementsAre("vm0: removed " + (dir / "ws/run/vm0").string()));
  EXPECT_FALSE(fs::exists(dir / "ws/run/vm0.lease"));
  EXPECT_TRUE(fs::exists(living.file()));
  EXPECT_THAT(Workspace(dir / "ws").reaped(), IsEmpty());
}

TEST(Workspace, Moves) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  Workspace a(dir / "a", {.source = source});
  const Path* root = &a.root();
  Workspace b = std::move(a);
  EXPECT_EQ(&b.root(), root);
  b = Workspace(dir / "b", {.source = source});
  EXPECT_EQ(b.root(), dir / "b");
}

TEST(Workspace, OpenedByManyProcessesAtOnce) {
  const TempDir dir;
  const Path source = fake_linux(dir);
  std::vector<int> pids;
  for (int i = 0; i < 8; ++i) {
    const int pid = ::fork();
    if (pid == 0) {
      try {
        const Workspace ws(dir / "ws", {.source = source});
        ::_exit(fs::is_directory(ws.run()) ? 0 : 2);
      } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        ::_exit(1);
      }
    }
    pids.push_back(pid);
  }
  for (int pid : pids) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(Workspace(dir / "ws").source(), source);
}

TEST(Workspace, OneOfTwoTreesWinsTheRace) {
  const TempDir dir;
  const Path first = fake_linux(dir, "first"), second = fake_linux(dir, "second");
  int opened = 0, refused_ones = 0;
  std::vector<int> pids;
  for (int i = 0; i < 8; ++i) {
    const int pid = ::fork();
    if (pid == 0) {
      try {
        Workspace ws(dir / "ws", {.source = i % 2 ? first : second});
        ::_exit(ws.source() == (i % 2 ? first : second) ? 0 : 2);
      } catch (const ConfigError&) {
        ::_exit(3);
      } catch (...) {
        ::_exit(1);
      }
    }
    pids.push_back(pid);
  }
  for (int pid : pids) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    opened += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    refused_ones += WIFEXITED(status) && WEXITSTATUS(status) == 3;
  }
  EXPECT_EQ(opened, 4);
  EXPECT_EQ(refused_ones, 4);
}

TEST(Workspace, FullDiskIsAnErrorAndCanBeRepeated) {
  const TempDir dir, disk;
  const Path source = fake_linux(dir);
  if (::mount("kdev-test", disk.path().c_str(), "tmpfs", 0, "size=64k,nr_inodes=5") != 0)
    GTEST_SKIP() << "cannot mount a tmpfs";
  EXPECT_THROW(Workspace(disk / "ws", {.source = source}), HostError);
  EXPECT_EQ(::mount("kdev-test", disk.path().c_str(), "tmpfs", MS_REMOUNT, "size=64k,nr_inodes=100"), 0);
  EXPECT_EQ(Workspace(disk / "ws", {.source = source}).source(), source);
  ::umount(disk.path().c_str());
}

}  // namespace
}  // namespace kdev
