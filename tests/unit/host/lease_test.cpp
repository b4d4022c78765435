// Leases: what a killed owner held is ended by the next who looks; what a living one holds is not.
#include "host/lease.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <kdev/error.hpp>
#include <thread>

#include "host/lease_file.hpp"
#include "host/proc.hpp"
#include "unit/host/temp_dir.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using test::TempDir;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A process that takes leases and is killed.
class Owner {
 public:
  template <class F>
  explicit Owner(F work) {
    pid_ = ::fork();
    if (pid_ == 0) {
      try {
        work();
      } catch (const std::exception& e) {
        std::fprintf(stderr, "owner: %s\n", e.what());
        ::_exit(1);
      }
      for (;;) ::pause();
    }
  }
  ~Owner() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  int pid_;
};

void wait_for(const Path& file) {
  const auto deadline = Deadline::after(Seconds(60));
  while (!fs::exists(file)) {
    deadline.check("wait for " + file.string());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Process sleeper(const std::string& token, const std::string& ready) {
  // Its grandchild leaves the group and the session, and ignores TERM.
  const std::string script =
      fmt::format("setsid sh -c \"trap '' TERM; : > {}; while :; do sleep 1; done\" & sleep 1000", ready);
  return local_host()->spawn({.argv = {"sh", "-c", script}}, {.lease = token});
}

LeaseFile read_lease(const Path& file) {
  return lease_from_json(TempDir::read(file));
}

TEST(Lease, IsOnDiskAndGoesInGoodOrder) {
  const TempDir dir;
  Lease lease = Lease::create(dir / "run", "vm0");
  EXPECT_EQ(lease.file(), dir / "run/vm0.lease");
  EXPECT_EQ(lease.token().size(), 32u);
  lease.add_process(123, 456);
  lease.add_path(dir / "x");
  lease.add_undo({"ip", "link", "del", "tap0"});
  const LeaseFile content = read_lease(lease.file());
  EXPECT_EQ(content.owner.pid, ::getpid());
  EXPECT_EQ(content.owner.start_time, process_start_time(::getpid()));
  EXPECT_EQ(content.token, lease.token());
  EXPECT_THAT(content.processes, ElementsAre(std::pair{123, 456ull}));
  EXPECT_THAT(content.paths, ElementsAre(dir / "x"));
  EXPECT_THAT(content.undo, ElementsAre(ElementsAre("ip", "link", "del", "tap0")));
  lease.release();
  EXPECT_FALSE(lease);
  EXPECT_TRUE(fs::is_empty(dir / "run"));
  lease.release();
}

TEST(Lease, DestructorKeepsWhatIsNotReleased) {
  const TempDir dir;
  Lease::create(dir.path(), "empty");
  EXPECT_FALSE(fs::exists(dir / "empty.lease"));
  { Lease::create(dir.path(), "full").add_path(dir / "x"); }
  EXPECT_TRUE(fs::exists(dir / "full.lease"));
}

TEST(Lease, Moves) {
  const TempDir dir;
  Lease a = Lease::create(dir.path(), "a");
  Lease b = std::move(a);
  EXPECT_FALSE(a);
  EXPECT_TRUE(fs::exists(dir / "a.lease"));
  b = Lease::create(dir.path(), "b");
  EXPECT_FALSE(fs::exists(dir / "a.lease"));
  b = Lease();
  EXPECT_FALSE(fs::exists(dir / "b.lease"));
}

TEST(Lease, NamesOfTheLivingAreTaken) {
  const TempDir dir;
  Lease a = Lease::create(dir.path(), "a");
  try {
    Lease::create(dir.path(), "a");
    FAIL() << "two leases of one name";
  } catch (const HostError& e) {
    EXPECT_THAT(e.reason(), HasSubstr(std::to_string(::getpid())));
  }
  EXPECT_TRUE(fs::exists(a.file()));
  for (const char* bad : {"", "a/b", ".x"}) EXPECT_THROW(Lease::create(dir.path(), bad), HostError) << bad;
  a.release();
  EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(Lease, AForkedCopyDoesNotRelease) {
  const TempDir dir;
  Lease lease = Lease::create(dir.path(), "a");
  const int pid = ::fork();
  if (pid == 0) {
    lease.release();
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(fs::exists(dir / "a.lease"));
}

TEST(LeaseFile, RoundTrip) {
  const LeaseFile lease = {.owner = LeaseOwner::self(),
                           .token = "t",
                           .processes = {{1, 2}, {3, 18000000000ull}},
                           .paths = {"/a b", std::string("/\xff\xfe bytes")},
                           .undo = {{"x", "", "\"q\""}, {}}};
  const LeaseFile back = lease_from_json(to_json(lease));
  EXPECT_EQ(back.owner.pid, lease.owner.pid);
  EXPECT_EQ(back.owner.start_time, lease.owner.start_time);
  EXPECT_EQ(back.owner.boot_id, lease.owner.boot_id);
  EXPECT_EQ(back.owner.pid_namespace, lease.owner.pid_namespace);
  EXPECT_EQ(back.owner.machine_id, lease.owner.machine_id);
  EXPECT_EQ(back.token, lease.token);
  EXPECT_EQ(back.processes, lease.processes);
  EXPECT_EQ(back.paths, lease.paths);
  EXPECT_EQ(back.undo, lease.undo);
}

TEST(LeaseFile, WhoIsDead) {
  LeaseOwner me = LeaseOwner::self();
  EXPECT_FALSE(me.is_dead());
  LeaseOwner reused = me;  // another process has the pid now
  reused.start_time -= 1;
  EXPECT_TRUE(reused.is_dead());
  LeaseOwner gone = me;
  gone.pid = 4194303;
  EXPECT_TRUE(gone.is_dead());
  LeaseOwner earlier = me;
  earlier.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_TRUE(earlier.is_dead());
  EXPECT_TRUE(earlier.of_earlier_boot());
  LeaseOwner container = gone;
  container.pid_namespace = "pid:[1]";
  EXPECT_FALSE(container.is_dead());
}

TEST(Reap, EndsAllThatAKilledOwnerHeld) {
  const TempDir dir;
  const std::string ready = (dir / "ready").string();
  dir.write("clone/disk", "data");
  dir.write("single", "data");
  fs::create_directory(dir / "outside");
  fs::create_symlink(dir / "outside", dir / "clone/link");
  dir.write("outside/precious", "x");
  Owner owner([&] {
    Lease lease = Lease::create(dir / "run", "vm0");
    lease.add_path(dir / "clone");
    lease.add_path(dir / "single");
    lease.add_path(dir / "never-made");
    lease.add_undo({"sh", "-c", fmt::format("echo first >> {}/undone", dir.path().string())});
    lease.add_undo({"sh", "-c", fmt::format("echo second >> {}/undone", dir.path().string())});
    lease.add_undo({"kdev-no-such-program"});
    lease.add_undo({"sh", "-c", "echo why >&2; exit 3"});
    static Process p = sleeper(lease.token(), ready);
    lease.add_process(p.pid(), p.start_time());
    static Lease kept = std::move(lease);
    dir.write("took", "x");
  });
  wait_for(dir / "took");
  wait_for(ready);
  const LeaseFile held = read_lease(dir / "run/vm0.lease");
  ASSERT_GE(processes_with_token(held.token).size(), 3u);

  EXPECT_THAT(reap_leases(dir / "run"), IsEmpty());  // the owner lives
  EXPECT_GE(processes_with_token(held.token).size(), 3u);
  EXPECT_TRUE(fs::exists(dir / "clone/disk"));

  owner.kill();
  const std::vector<std::string> lines = reap_leases(dir / "run");
  EXPECT_THAT(processes_with_token(held.token), IsEmpty());
  EXPECT_FALSE(fs::exists(dir / "clone"));
  EXPECT_FALSE(fs::exists(dir / "single"));
  EXPECT_TRUE(fs::exists(dir / "outside/precious"));
  EXPECT_TRUE(fs::is_empty(dir / "run"));
  EXPECT_EQ(TempDir::read(dir / "undone"), "second\nfirst\n");
  EXPECT_THAT(lines, Contains(HasSubstr("vm0: ended process")));
  EXPECT_THAT(lines, Contains(HasSubstr("vm0: removed " + (dir / "clone").string())));
  EXPECT_THAT(lines, Contains(HasSubstr("kdev-no-such-program: not found")));
  EXPECT_THAT(lines, Contains(HasSubstr("exit code 3: why")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("never-made"))));
  EXPECT_THAT(reap_leases(dir / "run"), IsEmpty());
}

TEST(Reap, FindsProcessesThatWereNeverWrittenDown) {
  const TempDir dir;
  Owner owner([&] {
    static Lease lease = Lease::create(dir / "run", "vm0");
    lease.add_path(dir / "x");
    static Process p = sleeper(lease.token(), (dir / "ready").string());  // killed before add_process()
  });
  wait_for(dir / "ready");
  const std::string token = read_lease(dir / "run/vm0.lease").token;
  owner.kill();
  reap_leases(dir / "run");
  EXPECT_THAT(processes_with_token(token), IsEmpty());
}

TEST(Reap, DoesNotTouchALaterProcessWithThePid) {
  const TempDir dir;
  Process innocent = local_host()->spawn({.argv = {"sleep", "1000"}});
  Owner owner([&] {
    static Lease lease = Lease::create(dir / "run", "vm0");
    lease.add_process(innocent.pid(), innocent.start_time() - 1);
    dir.write("took", "x");
  });
  wait_for(dir / "took");
  owner.kill();
  reap_leases(dir / "run");
  EXPECT_TRUE(proc_stat(innocent.pid()).alive());
  EXPECT_TRUE(fs::is_empty(dir / "run"));
}

TEST(Reap, AfterARebootOnlyFilesAreLeft) {
  const TempDir dir;
  Process innocent = local_host()->spawn({.argv = {"sleep", "1000"}});
  dir.write("clone", "x");
  LeaseFile lease = {.owner = LeaseOwner::self(),
                     .token = "t",
                     .processes = {{innocent.pid(), innocent.start_time()}},
                     .paths = {dir / "clone"},
                     .undo = {{"touch", (dir / "undone").string()}}};
  lease.owner.boot_id = "00000000-0000-0000-0000-000000000000";
  dir.write("run/vm0.lease", to_json(lease));
  EXPECT_THAT(reap_leases(dir / "run"), ElementsAre("vm0: removed " + (dir / "clone").string()));
  EXPECT_TRUE(proc_stat(innocent.pid()).alive());
  EXPECT_FALSE(fs::exists(dir / "undone"));
  EXPECT_TRUE(fs::is_empty(dir / "run"));
}

TEST(Reap, ManyReapersDoItOnce) {
  const TempDir dir;
  Owner owner([&] {
    static std::vector<Lease> leases;
    for (int i = 0; i < 5; ++i) {
      leases.push_back(Lease::create(dir / "run", fmt::format("vm{}", i)));
      leases.back().add_undo({"sh", "-c", fmt::format("echo {} >> {}/undone", i, dir.path().string())});
    }
    dir.write("took", "x");
  });
  wait_for(dir / "took");
  owner.kill();
  std::vector<std::thread> reapers;
  for (int t = 0; t < 6; ++t) reapers.emplace_back([&] { reap_leases(dir / "run"); });
  for (auto& t : reapers) t.join();
  reap_leases(dir / "run");
  std::string undone = TempDir::read(dir / "undone");
  std::sort(undone.begin(), undone.end());
  EXPECT_EQ(undone, "\n\n\n\n\n01234");
  EXPECT_TRUE(fs::is_empty(dir / "run"));
}

TEST(Reap, AReaperThatIsKilledLeavesTheRestToTheNext) {
  const TempDir dir;
  dir.write("clone", "x");
  Owner owner([&] {
    static Lease lease = Lease::create(dir / "run", "vm0");
    lease.add_path(dir / "clone");
    lease.add_undo(
        {"sh", "-c",
         fmt::format("[ -e {0}/second ] || {{ : > {0}/undoing; sleep 1000; }}", dir.path().string())});
    dir.write("took", "x");
  });
  wait_for(dir / "took");
  const std::string token = read_lease(dir / "run/vm0.lease").token;
  owner.kill();
  Owner reaper([&] { reap_leases(dir / "run"); });
  wait_for(dir / "undoing");
  reaper.kill();
  EXPECT_TRUE(fs::exists(dir / "run/vm0.lease"));
  dir.write("second", "x");
  reap_leases(dir / "run");
  EXPECT_FALSE(fs::exists(dir / "clone"));
  EXPECT_TRUE(fs::is_empty(dir / "run"));
  EXPECT_THAT(processes_with_token(token), IsEmpty());  // nor the first reaper's command, which outlived it
}

TEST(Reap, OddFilesAreNamedNotTouched) {
  const TempDir dir;
  dir.write("garbage.lease", "no JSON");
  dir.write("empty.lease", "");
  dir.write("fields.lease", R"({"owner": {"pid": 1}})");
  dir.write("types.lease", R"({"owner": 7, "token": []})");
  dir.write("other.txt", "no JSON");
  ::mkfifo((dir / "pipe.lease").c_str(), 0600);
  fs::create_directory(dir / "folder.lease");
  fs::create_symlink("nowhere", dir / "dangling.lease");
  const auto lines = reap_leases(dir.path());
  EXPECT_EQ(lines.size(), 4u);
  for (const char* name : {"garbage", "empty", "fields", "types"}) {
    EXPECT_THAT(lines, Contains(HasSubstr(std::string(name) + ".lease: cannot be read"))) << name;
    EXPECT_TRUE(fs::exists(dir / (std::string(name) + ".lease")));
  }
  EXPECT_THAT(reap_leases(dir / "nope"), IsEmpty());
}

TEST(Reap, DangerousPathsAreLeftAlone) {
  const TempDir dir;
  LeaseFile lease = {
      .owner = LeaseOwner::self(), .token = "t", .processes = {}, .paths = {"relative", "/", ""}, .undo = {}};
  lease.owner.start_time -= 1;
  dir.write("run/vm0.lease", to_json(lease));
  EXPECT_THAT(reap_leases(dir / "run"), IsEmpty());
  EXPECT_TRUE(fs::exists("/proc"));
  EXPECT_TRUE(fs::is_empty(dir / "run"));
}

TEST(Reap, TheReaperIsSparedEvenIfItCarriesTheToken) {
  const TempDir dir;
  LeaseFile lease = {
      .owner = LeaseOwner::self(), .token = "t-of-reaper", .processes = {}, .paths = {}, .undo = {}};
  lease.owner.start_time -= 1;
  lease.processes.emplace_back(::getpid(), process_start_time(::getpid()));
  dir.write("run/vm0.lease", to_json(lease));
  reap_leases(dir / "run");  // or this test program would be gone
  EXPECT_TRUE(fs::is_empty(dir / "run"));
}

TEST(Reap, UnfinishedSaves) {
  const TempDir dir;
  const Path old = dir.write(".vm0.lease.4194303.0.tmp", "{"),
             young = dir.write(".vm1.lease.4194303.0.tmp", "{"),
             mine = dir.write(fmt::format(".vm2.lease.{}.0.tmp", ::getpid()), "{");
  for (const Path& p : {old, mine}) fs::last_write_time(p, std::time(nullptr) - 3600);
  reap_leases(dir.path());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  EXPECT_TRUE(fs::exists(mine));
}

TEST(Lease, TakesOverTheNameOfTheDead) {
  const TempDir dir;
  dir.write("clone", "x");
  Owner owner([&] {
    static Lease lease = Lease::create(dir / "run", "vm0");
    lease.add_path(dir / "clone");
    dir.write("took", "x");
  });
  wait_for(dir / "took");
  owner.kill();
  Lease lease = Lease::create(dir / "run", "vm0");
  EXPECT_TRUE(lease);
  EXPECT_FALSE(fs::exists(dir / "clone"));
  EXPECT_EQ(read_lease(lease.file()).owner.pid, ::getpid());
}

TEST(Lease, FullDiskIsAnErrorAndTheOldStateStays) {
  // /proc takes no new files: the same path through the code as a full disk, without a mount.
  EXPECT_THROW(Lease::create("/proc/self", "vm0"), HostError);
}

}  // namespace
}  // namespace kdev
