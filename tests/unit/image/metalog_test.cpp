#include "image/metalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <kdev/error.hpp>
#include <kdev/host.hpp>

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using Type = ImageEntry::Type;

/// A world as an unprivileged installworld leaves it.
struct Metalog : testing::Test {
  Path dir = fs::temp_directory_path() / fs::unique_path("kdev-metalog-%%%%%%%%");
  UserlandArtifact world;
  void SetUp() override {
    world.root = dir / "root";
    world.metalog = dir / "METALOG";
    for (const char* folder : {"etc", "bin", "var/mail"}) fs::create_directories(world.root / folder);
    local_host()->write_file(world.root / "etc/master.passwd",
                             "# users\nroot::0:0::0:0:Charlie &:/root:/bin/csh\nman:*:9:9::0:0:M:/:/x\n");
    local_host()->write_file(world.root / "etc/group", "wheel:*:0:root\nmail:*:6:\n");
    local_host()->write_file(world.root / "bin/su", "su");
    local_host()->write_file(world.root / "bin/mine", "not of the list");
    fs::permissions(world.root / "bin/mine", fs::owner_all);
    log("./bin/su type=file uname=root gname=wheel mode=0555 tags=package=runtime\n"
        "./bin/su type=file uname=root gname=wheel mode=04555 flags=schg\n"
        "./var/mail type=dir uname=man gname=mail mode=0775\n");
  }
  void TearDown() override { fs::remove_all(dir); }
  void log(const std::string& lines) { local_host()->write_file(world.metalog, "#mtree 2.0\n" + lines); }
  ImageEntry entry(const std::string& path) {
    for (const ImageEntry& e : SeedImage::userland(world).entries())
      if (e.path == path) return e;
    throw std::runtime_error("no " + path);
  }
};

TEST_F(Metalog, GivesOwnersAndModes) {
  EXPECT_EQ(entry("/bin/su").mode, 04555u) << "the later line";
  EXPECT_EQ(entry("/bin/su").uid, 0u);
  EXPECT_EQ(entry("/var/mail").uid, 9u);
  EXPECT_EQ(entry("/var/mail").gid, 6u);
  EXPECT_EQ(entry("/var/mail").mode, 0775u);
  EXPECT_EQ(entry("/bin/mine").mode, 0700u);
  const SeedImage image = SeedImage::userland(world);
  EXPECT_EQ(SeedImage::from_json(image.to_json()), image);
}

TEST_F(Metalog, AnUnknownOwnerIsTold) {
  log("./bin/su type=file uname=nobody-here gname=wheel mode=0555\n");
  EXPECT_THROW(entry("/bin/su"), FormatError);
}

TEST_F(Metalog, OneThatIsGoneIsTold) {
  fs::remove(world.metalog);
  EXPECT_THROW(entry("/bin/su"), Error);
}

}  // namespace
}  // namespace kdev
