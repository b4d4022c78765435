#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/triage.hpp>
#include <thread>

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

CrashReport report(const std::string& title, const std::string& function, std::vector<std::string> stack) {
  CrashReport r;
  r.os = "linux";
  r.title = title;
  r.type = "BUG";
  r.function = function;
  r.release = "6.1.0";
  r.text = "text of " + title;
  r.dmesg = "long";
  StackTrace trace;
  for (const std::string& name : stack) trace.frames.push_back({.function = name});
  r.traces.push_back(trace);
  return r;
}

class TriageTest : public testing::Test {
 protected:
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-triage-%%%%%%%%");
  void SetUp() override { fs::create_directories(dir); }
  void TearDown() override { fs::remove_all(dir); }
  Path file() const { return dir / "crashes.db"; }
};

TEST_F(TriageTest, TheSameCrashCounts) {
  const CrashReport oops = report("BUG: x in foo", "foo", {"foo", "bar"});
  CrashReport later = oops;
  later.release = "6.2.0";
  later.pid = 7;
  EXPECT_EQ(crash_key(oops), crash_key(later));
  EXPECT_THAT(crash_key(oops), SizeIs(16));
  CrashReport elsewhere = oops;
  elsewhere.os = "freebsd";
  EXPECT_NE(crash_key(oops), crash_key(elsewhere));
  EXPECT_EQ(crash_key({}), "");

  CrashHistory history(file());
  EXPECT_EQ(history.add(oops, 100).count, 1);
  const Sighting again = history.add(later, 200);
  EXPECT_EQ(again.count, 2);
  EXPECT_EQ(again.first_seen, 100);
  EXPECT_EQ(again.last_seen, 200);
  EXPECT_EQ(again.first_release, "6.1.0");
  EXPECT_EQ(again.last_release, "6.2.0");
  // One that is told late.
  EXPECT_EQ(history.add(oops, 50).first_seen, 50);
  EXPECT_EQ(history.find(crash_key(oops))->last_release, "6.2.0");
  EXPECT_EQ(history.find("none"), std::nullopt);
  EXPECT_THROW(history.add({}), ConfigError);

  const CrashHistory reopened(file());
  EXPECT_THAT(reopened.all(), SizeIs(1));
  const auto kept = reopened.report(crash_key(oops));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->text, oops.text);
  EXPECT_EQ(kept->dmesg, "") << "only the report's own text is kept";
}

TEST_F(TriageTest, WhatResemblesItIsFound) {
  CrashHistory history(file());
  CrashReport named = report("KASAN: use-after-free Read in foo", "foo", {"foo", "bar", "baz"});
  named.alternative_titles = {"bad-access in foo"};
  history.add(named);
  history.add(report("WARNING in foo", "foo", {"foo", "other"}));
  history.add(report("BUG: y in qux", "qux", {"qux", "foo", "bar", "baz"}));
  history.add(report("INFO: nothing alike", "far", {"far", "away"}));
  CrashReport bsd = report("panic: foo", "foo", {"foo", "bar", "baz"});
  bsd.os = "freebsd";
  history.add(bsd);

  CrashReport now = report("KASAN: use-after-free Write in foo", "foo", {"foo", "bar", "baz"});
  now.alternative_titles = {"bad-access in foo"};
  const auto found = history.similar(now);
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].sighting.title, named.title);
  EXPECT_THAT(found[0].why, HasSubstr("bad-access in foo"));
  EXPECT_EQ(found[1].sighting.title, "WARNING in foo");
  EXPECT_EQ(found[1].why, "both blame foo");
  EXPECT_EQ(found[2].sighting.function, "qux");
  EXPECT_GT(found[0].score, found[1].score);
  EXPECT_GT(found[1].score, found[2].score);
  EXPECT_LE(found[0].score, 1);
  EXPECT_THAT(history.similar(now, 1), SizeIs(1));
  EXPECT_THAT(history.similar(named), SizeIs(2)) << "not itself";
}

TEST_F(TriageTest, ManyMayWriteAtOnce) {
  const CrashReport oops = report("BUG: x in foo", "foo", {"foo"});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      CrashHistory history(file());  // each with its own connection, as processes have
      for (int n = 0; n < 10; ++n) history.add(oops);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(CrashHistory(file()).find(crash_key(oops))->count, 40);
}

TEST_F(TriageTest, AnotherFileIsRefused) {
  local_host()->write_file(file(), std::string(5000, 'x'));
  EXPECT_THROW(CrashHistory{file()}, FormatError);
  EXPECT_EQ(local_host()->read_file(file()), std::string(5000, 'x'));
  EXPECT_THROW(CrashHistory{dir / "none/crashes.db"}, HostError);
}

class SuspectsTest : public TriageTest {
 protected:
  Path tree = dir / "tree";
  void git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-C", tree.string(), "-c", "user.name=A Developer", "-c",
                                         "user.email=a@example.org", "-c", "init.defaultBranch=main"});
    local_host()->check("set up a repository", {.argv = std::move(arguments),
                                                .env = {{"GIT_COMMITTER_DATE", "@1000000000 +0000"},
                                                        {"GIT_CONFIG_GLOBAL", "/dev/null"}}});
  }
  void commit(const std::string& text, const std::string& subject) {
    local_host()->write_file(tree / "mm/slab.c", text);
    git({"add", "-A"});
    git({"commit", "-q", "-m", subject});
  }
  void SetUp() override {
    if (!local_host()->which("git")) GTEST_SKIP() << "git is not installed";
    TriageTest::SetUp();
    fs::create_directories(tree / "mm");
    git({"init", "-q"});
    commit("one\ntwo\nthree\n", "mm: begin");
    commit("one\n2\nthree\n", "mm: digits");
    commit("one\n2\n3\n", "mm: more, \"quoted\" digits");
  }
  static CrashReport blaming(std::vector<std::pair<std::string, int>> lines) {
    CrashReport r = report("BUG: x in foo", "foo", {});
    r.symbolized = true;
    for (const auto& [file, line] : lines)
      r.traces[0].frames.push_back(
          {.function = r.traces[0].frames.empty() ? "dump" : "foo", .file = file, .line = line});
    return r;
  }
};

TEST_F(SuspectsTest, WhoTouchedTheLineLast) {
  // The first frame prints the report; the second is the guilty one.
  const Suspects found = suspects(blaming({{"mm/slab.c", 3}, {"mm/slab.c", 2}, {"mm/slab.c", 1}}), tree);
  ASSERT_THAT(found.lines, SizeIs(2));
  ASSERT_TRUE(found.lines[0].last);
  EXPECT_EQ(found.lines[0].last->subject, "mm: digits");
  EXPECT_EQ(found.lines[0].last->author, "A Developer");
  EXPECT_EQ(found.lines[0].last->time, 1000000000);
  EXPECT_THAT(found.lines[0].last->id, SizeIs(40));
  EXPECT_EQ(found.lines[1].last->subject, "mm: begin");
  ASSERT_THAT(found.recent, SizeIs(3));
  EXPECT_EQ(found.recent[0].subject, "mm: more, \"quoted\" digits");
  EXPECT_THAT(found.notes, IsEmpty());
}

TEST_F(SuspectsTest, AtARevision) {
  const CrashReport r = blaming({{"mm/slab.c", 1}, {"mm/slab.c", 2}});
  const Suspects found = suspects(r, tree, {.revision = "HEAD~2"});
  EXPECT_EQ(found.lines.at(0).last->subject, "mm: begin");
  EXPECT_THAT(found.recent, SizeIs(1));
  EXPECT_THROW(suspects(r, tree, {.revision = "none"}), ConfigError);
  EXPECT_THROW(suspects(r, tree, {.revision = "--output=x"}), ConfigError) << "no option";
}

TEST_F(SuspectsTest, WhatIsNotCommittedIsNoted) {
  local_host()->write_file(tree / "mm/slab.c", "one\nchanged\n3\n");
  const Suspects found =
      suspects(blaming({{"x", 1}, {"mm/slab.c", 2}, {"/elsewhere/a.c", 1}, {"mm/slab.c", 99}}), tree);
  ASSERT_THAT(found.lines, SizeIs(1));
  EXPECT_EQ(found.lines[0].last, std::nullopt);
  ASSERT_THAT(found.notes, SizeIs(3));
  EXPECT_THAT(found.notes[0], HasSubstr("not committed"));
  EXPECT_THAT(found.notes[1], HasSubstr("not in the tree"));
  EXPECT_THAT(found.notes[2], HasSubstr("99"));
  // Absolute names of the tree's own files are.
  EXPECT_THAT(suspects(blaming({{"x", 1}, {(tree / "mm/slab.c").string(), 3}}), tree).lines, SizeIs(1));
}

TEST_F(SuspectsTest, WhatCannotBeAsked) {
  EXPECT_THROW(suspects(report("BUG", "foo", {"foo"}), tree), ConfigError) << "no lines";
  EXPECT_THROW(suspects(blaming({{"x", 1}, {"gone.c", 2}}), tree), ConfigError);
  fs::create_directories(dir / "plain");
  EXPECT_THROW(suspects(blaming({{"x", 1}, {"mm/slab.c", 2}}), dir / "plain"), ConfigError);
}

}  // namespace
}  // namespace kdev
