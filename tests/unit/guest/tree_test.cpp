// What a folder is recognised as, and what is said about those that are no source tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <kdev/error.hpp>
#include <kdev/source_tree.hpp>

#include "guest/guest.hpp"
#include "guest/linux/linux.hpp"
#include "unit/guest/fake_tree.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using guest::guest_for;
using test::fake_freebsd;
using test::fake_linux;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ConfigError refused(const Path& path) {
  try {
    const SourceTree tree = detect_source(path);
    ADD_FAILURE() << path << " was recognised as " << to_string(tree.os) << " " << tree.version;
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.attempted(), HasSubstr(path.string()));
    EXPECT_NE(e.hint(), "");
    return e;
  }
  return ConfigError(ErrorInfo{});
}

TEST(DetectSource, Linux) {
  const TempDir dir;
  const Path tree = fake_linux(dir);
  EXPECT_EQ(detect_source(tree), (SourceTree{.os = Os::linux, .path = tree, .version = "6.1.192"}));
  EXPECT_EQ(detect_source(fake_linux(dir, "rc", "0", "-rc1")).version, "6.1.0-rc1");
  EXPECT_EQ(detect_source(fake_linux(dir, "short", "")).version, "6.1");
}

TEST(DetectSource, FreeBsd) {
  const TempDir dir;
  const Path tree = fake_freebsd(dir);
  EXPECT_EQ(detect_source(tree), (SourceTree{.os = Os::freebsd, .path = tree, .version = "13.2-RELEASE-p4"}));
}

TEST(DetectSource, PathIsAbsoluteAndResolved) {
  const TempDir dir;
  const Path tree = fake_linux(dir);
  fs::create_symlink("linux", dir / "link");
  EXPECT_EQ(detect_source(dir / "link").path, tree);
  EXPECT_EQ(detect_source(dir / "linux/../linux/./").path, tree);
  const Path before = fs::current_path();
  fs::current_path(dir.path());
  EXPECT_EQ(detect_source("linux").path, tree);
  fs::current_path(before);
}

TEST(DetectSource, Missing) {
  const TempDir dir;
  EXPECT_THAT(refused(dir / "nope").reason(), HasSubstr("no such folder"));
  fs::create_symlink("nowhere", dir / "dangling");
  EXPECT_THAT(refused(dir / "dangling").reason(), HasSubstr("points nowhere"));
  EXPECT_THROW(detect_source(""), ConfigError);
}

TEST(DetectSource, FilesAndArchives) {
  const TempDir dir;
  EXPECT_THAT(refused(dir.write("file", "x")).reason(), HasSubstr("it is a file"));
  const auto e = refused(dir.write("linux-source-6.1.tar.xz", "x"));
  EXPECT_THAT(e.hint(), HasSubstr("tar xf"));
  ::mkfifo((dir / "pipe").c_str(), 0600);
  EXPECT_THAT(refused(dir / "pipe").reason(), HasSubstr("it is a file"));
}

TEST(DetectSource, EmptyFolder) {
  const TempDir dir;
  EXPECT_THAT(refused(dir.path()).reason(), HasSubstr("empty"));
}

TEST(DetectSource, ParentOfAnUnpackedTarball) {
  const TempDir dir;
  dir.write("notes.txt", "");
  fs::create_directories(dir / "other");
  const Path tree = fake_linux(dir, "linux-6.1");
  EXPECT_THAT(refused(dir.path()).hint(), HasSubstr("did you mean " + tree.string() + "?"));
  const Path second = fake_freebsd(dir);
  EXPECT_THAT(refused(dir.path()).hint(), HasSubstr(second.string() + " or " + tree.string()));
}

TEST(DetectSource, FolderInsideATree) {
  const TempDir dir;
  const Path tree = fake_linux(dir);
  EXPECT_THAT(refused(tree / "arch/x86").hint(), HasSubstr("did you mean " + tree.string() + "?"));
  const Path bsd = fake_freebsd(dir);
  EXPECT_THAT(refused(bsd / "sys").hint(), HasSubstr("did you mean " + bsd.string() + "?"));
}

TEST(DetectSource, OutputOfABuild) {
  const TempDir dir, out;
  const Path tree = fake_linux(dir);
  out.write(".config", "CONFIG_64BIT=y\n");
  out.write("Makefile", "include " + tree.string() + "/Makefile\n");
  fs::create_symlink(tree, out / "source");
  EXPECT_THAT(refused(out.path()).reason(), HasSubstr("output of a build"));
  EXPECT_THAT(refused(out.path()).hint(), HasSubstr(tree.string()));
}

TEST(DetectSource, HeadersPackageAndBrokenCheckout) {
  const TempDir dir;
  const Path tree = fake_linux(dir);
  fs::remove(tree / "init/main.c");
  const auto e = refused(tree);
  EXPECT_THAT(e.reason(), AllOf(HasSubstr("looks like linux"), HasSubstr("has no init/main.c")));
  EXPECT_THAT(e.hint(), HasSubstr("headers"));
}

TEST(DetectSource, MakefilesOfOthers) {
  const TempDir dir;
  dir.write("Makefile", "VERSION = 6\nPATCHLEVEL = 1\nall:\n");
  EXPECT_THAT(refused(dir.path()).reason(),
              AllOf(HasSubstr("no kernel source tree"), HasSubstr("init/main.c"), HasSubstr("newvers.sh")));
  // All the files, but a Makefile without numbers.
  const Path tree = fake_linux(dir);
  for (const char* text :
       {"", "VERSION =\nPATCHLEVEL =\n", "VERSION = $(shell cat v)\nPATCHLEVEL = 1\n", "VERSION"}) {
    dir.write("linux/Makefile", text);
    EXPECT_THAT(refused(tree).reason(), HasSubstr("Makefile with VERSION")) << text;
  }
  dir.write("linux/Makefile", std::string(200000, '\0'));
  EXPECT_THAT(refused(tree).reason(), HasSubstr("Makefile with VERSION"));
}

TEST(DetectSource, FreeBsdWithoutAVersion) {
  const TempDir dir;
  const Path tree = fake_freebsd(dir);
  for (const char* text :
       {"", "REVISION=\"13.2\"\n", "REVISION=\nBRANCH=\n", "REVISION=\"13.2\nBRANCH=\"\n", "REVISION=\""}) {
    dir.write("freebsd/sys/conf/newvers.sh", text);
    EXPECT_THAT(refused(tree).reason(), HasSubstr("REVISION and BRANCH")) << text;
  }
}

TEST(CheckTree, LeftOversOfABuildInPlace) {
  const TempDir dir;
  const Path path = fake_linux(dir);
  const SourceTree tree = detect_source(path);
  EXPECT_THAT(guest::linux_in_place_leftovers(*local_host(), path), IsEmpty());
  EXPECT_NO_THROW(guest_for(Os::linux).check_tree(*local_host(), tree));
  dir.write("linux/.config", "");
  EXPECT_THAT(guest::linux_in_place_leftovers(*local_host(), path), ElementsAre(path / ".config"));
  fs::create_directories(path / "include/config");
  try {
    guest_for(Os::linux).check_tree(*local_host(), tree);
    FAIL() << "accepted";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.reason(), HasSubstr(".config, include/config"));
    EXPECT_THAT(e.hint(), HasSubstr("make -C " + path.string() + " mrproper"));
  }
}

TEST(GuestTable, OneForEachOs) {
  EXPECT_EQ(guest::all_guests().size(), 2u);
  for (Os os : {Os::linux, Os::freebsd}) {
    EXPECT_EQ(guest_for(os).os(), os);
    EXPECT_EQ(os_from_string(to_string(os)), os);
  }
  EXPECT_EQ(os_title(Os::linux), "Linux");
  EXPECT_EQ(os_title(Os::freebsd), "FreeBSD");
  utsname machine{};
  uname(&machine);
  EXPECT_EQ(os_title(running_os()), machine.sysname);
  EXPECT_NE(guest_for(Os::linux).conf(), nullptr);
  EXPECT_NE(guest_for(Os::linux).build(), nullptr);
  EXPECT_NE(guest_for(Os::linux).console(), nullptr);
  EXPECT_NE(guest_for(Os::freebsd).build(), nullptr);
  EXPECT_NE(guest_for(Os::freebsd).conf(), nullptr);
  try {
    os_from_string("plan9");
    FAIL() << "accepted";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("plan9"));
  }
}

}  // namespace
}  // namespace kdev
