// The recipes themselves: busybox, agent, JSON.
#include <sys/stat.h>
#include <unistd.h>

#include <kdev/host.hpp>

#include "image/busybox.hpp"
#include "unit/image/image_test.hpp"
#include "unit/image/newc_bytes.hpp"

namespace kdev::test {
namespace {

using ::testing::HasSubstr;

class SeedImages : public ImageTest {};

/// Sets an environment variable while it lives.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Setting() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST_F(SeedImages, BusyboxIsASystem) {
  const SeedImage image = SeedImage::busybox();
  EXPECT_TRUE(image.has_agent());
  const auto e = image.entries();
  for (const char* path : {"/bin/sh", "/bin/ls", "/bin/mount", "/sbin/insmod"}) {
    EXPECT_EQ(find(e, path).type, Type::symlink);
    EXPECT_EQ(find(e, path).target, "/bin/busybox");
  }
  EXPECT_EQ(find(e, "/bin/busybox").mode, 0755u);
  EXPECT_GT(find(e, "/bin/busybox").size, 100'000u);
  EXPECT_EQ(find(e, "/init").source, agent_program());
  EXPECT_EQ(
      find(e, "/dev/console"),
      (ImageEntry{
          .type = Type::node, .path = "/dev/console", .mode = 0600, .device = 'c', .major = 5, .minor = 1}));
  EXPECT_EQ(find(e, "/tmp").mode, 01777u);
  for (const char* path : {"/proc", "/sys", "/root", "/m", "/etc/passwd", "/etc/group"}) find(e, path);
}

TEST_F(SeedImages, NoBusyboxNamesThePackage) {
  const Setting path("PATH", dir.string());
  // which() also looks into the administrator's folders.
  if (fs::exists("/usr/sbin/busybox") || fs::exists("/sbin/busybox")) GTEST_SKIP();
  const std::string what = failure<HostError>([] { SeedImage::busybox().entries(); });
  EXPECT_THAT(what, HasSubstr("not in PATH"));
  EXPECT_THAT(what, HasSubstr("busybox-static"));
}

TEST_F(SeedImages, ADynamicBusyboxIsRefused) {
  fs::copy_file("/bin/cat", dir / "busybox");
  const Setting path("PATH", dir.string());
  const std::string what = failure<HostError>([] { SeedImage::busybox().entries(); });
  EXPECT_THAT(what, HasSubstr("no static program"));
  EXPECT_THAT(what, HasSubstr("busybox-static"));
}

TEST_F(SeedImages, StaticOrNot) {
  EXPECT_TRUE(is_static_program(agent_program()));
  EXPECT_FALSE(is_static_program("/bin/cat"));
  EXPECT_FALSE(is_static_program(put("text", "#!/bin/sh\n")));
  EXPECT_FALSE(is_static_program(put("short",
                                     "\x7f"
                                     "ELF")));
  EXPECT_FALSE(is_static_program(dir / "nope"));
}

TEST_F(SeedImages, TheAgentIsFoundAndCanBeChosen) {
  {
    const Path mine = put("my-agent", "x");
    fs::permissions(mine, static_cast<fs::perms>(0755));
    const Setting env("KDEV_AGENT", mine.string());
    EXPECT_EQ(agent_program(), mine);
  }
  {
    const Setting env("KDEV_AGENT", (dir / "nope").string());
    EXPECT_THAT(failure<HostError>([] { agent_program(); }), HasSubstr("KDEV_AGENT"));
  }
  EXPECT_EQ(agent_program().filename(), "kdev-agent");
}

TEST_F(SeedImages, AnAgentInADirectoryIsSeen) {
  put("plain/init", "#!/bin/sh\n");
  EXPECT_FALSE(SeedImage::directory(dir / "plain").has_agent());
  const SeedImage with = SeedImage::directory(dir / "plain", true);
  EXPECT_TRUE(with.has_agent());
  EXPECT_EQ(find(with.entries(), "/init").source, agent_program()) << "the agent takes init's place";
  fs::create_directory(dir / "own");
  fs::copy_file(agent_program(), dir / "own/init");
  EXPECT_TRUE(SeedImage::directory(dir / "own").has_agent());
  EXPECT_TRUE(
      SeedImage::from_entries({{.path = "/init", .mode = 0755, .source = agent_program()}}).has_agent());
  EXPECT_FALSE(
      SeedImage::from_entries({{.path = "/init", .mode = 0755, .content = "#!/bin/sh\n"}}).has_agent());
}

TEST_F(SeedImages, AnotherInitIsNoAgent) {
  const Path script = put("script", "#!/bin/sh\n");
  const SeedImage with =
      SeedImage::from_entries({{.path = "/init", .mode = 0755, .source = agent_program()}});
  EXPECT_FALSE(with.add_content("#!/bin/sh\n", "/init", 0755).has_agent());
  EXPECT_FALSE(with.add_file(script, "//init").has_agent());
  EXPECT_TRUE(with.add_file(script, "/sbin/init").has_agent());
  const SeedImage without =
      SeedImage::from_entries({{.path = "/init", .mode = 0755, .content = "#!/bin/sh\n"}});
  EXPECT_TRUE(without.add_file(agent_program(), "/init").has_agent());
  EXPECT_TRUE(without.add_content(local_host()->read_file(agent_program()), "/./init", 0755).has_agent());
}

TEST_F(SeedImages, ADirectoryIsReadUnderTheDeadline) {
  put("tree/f", "x");
  std::stop_source stop;
  stop.request_stop();
  const Deadline stopped = Deadline::never(stop.get_token());
  EXPECT_THROW(SeedImage::directory(dir / "tree").realize(dir / "cache", stopped), Interrupted);
}

TEST_F(SeedImages, InitramfsLooksAtWhatItIs) {
  put("tree/f", "x");
  EXPECT_EQ(SeedImage::initramfs(dir / "tree"), SeedImage::directory(dir / "tree"));
  put("list", "# comment\ndir /a 755 0 0\n");
  EXPECT_EQ(SeedImage::initramfs(dir / "list"), SeedImage::list(dir / "list"));
  SeedImage::directory(dir / "tree").write(dir / "a.cpio");
  EXPECT_EQ(SeedImage::initramfs(dir / "a.cpio"), SeedImage::archive(dir / "a.cpio"));
  put("other", "neither a list nor an archive\n");
  EXPECT_THAT(failure<FormatError>([&] { SeedImage::initramfs(dir / "other"); }), HasSubstr("other:1"));
}

TEST_F(SeedImages, EveryCallReturnsANewValue) {
  const SeedImage base = SeedImage::from_entries({{.path = "/a", .content = "x"}});
  const SeedImage more =
      base.add_content("y", "/b", 0600).add_directory("/d", 0711).compress(Compression::zstd);
  EXPECT_EQ(base.entries().size(), 1u);
  EXPECT_EQ(more.entries().size(), 3u);
  EXPECT_EQ(find(more.entries(), "/b").mode, 0600u);
  EXPECT_EQ(find(more.entries(), "/d").mode, 0711u);
  EXPECT_EQ(base.compression(), Compression::none);
  EXPECT_EQ(more.compression(), Compression::zstd);
  EXPECT_NE(base, more);
}

TEST_F(SeedImages, AddFileTakesTheModeUnlessTold) {
  const Path f = put("f", "x");
  fs::permissions(f, static_cast<fs::perms>(0751));
  const auto e = SeedImage().add_file(f, "/x").add_file(f, "/y", 0600).entries();
  EXPECT_EQ(find(e, "/x").mode, 0751u);
  EXPECT_EQ(find(e, "/y").mode, 0600u);
}

TEST_F(SeedImages, JsonKeepsEverything) {
  put("tree/f", "x");
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  SeedImage::from_entries({{.path = "/a", .content = "x"}}).write(dir / "a.cpio");
  const std::vector<SeedImage> images = {
      SeedImage(), SeedImage::busybox().compress(Compression::gzip), SeedImage::directory(dir / "tree", true),
      SeedImage::archive(dir / "a.cpio").add_content("more", "/b"),
      SeedImage::from_entries(
          {{.path = "/binary\xff", .mode = 07777, .uid = 0xffffffff, .gid = 5, .content = bytes},
           {.path = "/h", .target = "/binary\xff"},
           {.type = Type::node, .path = "/n", .device = 'b', .major = 259, .minor = 1048575},
           {.type = Type::symlink, .path = "/s", .mode = 0777, .target = "\xfe"},
           {.type = Type::pipe, .path = "/p"},
           {.type = Type::socket, .path = "/k"},
           {.type = Type::dir, .path = "/d"},
           {.path = "/f", .source = "/some/where", .size = 1ull << 40}})};
  for (const SeedImage& image : images)
    EXPECT_EQ(SeedImage::from_json(image.to_json()), image) << image.to_json();
}

TEST_F(SeedImages, BadJsonIsAFormatError) {
  for (const char* text :
       {"", "[]", "{\"compression\":\"rar\"}", "{\"entries\":1}", "{\"entries\":[1]}",
        "{\"entries\":[{\"type\":\"x\"}]}", "{\"entries\":[{\"mode\":-1}]}",
        "{\"entries\":[{\"content_hex\":\"0\"}]}", "{\"entries\":[{\"content_hex\":\"zz\"}]}",
        "{\"directories\":{}}", "{\"directories\":[\"x\"]}", "{\"busybox\":1}"})
    EXPECT_THROW(SeedImage::from_json(text), FormatError) << text;
}

}  // namespace
}  // namespace kdev::test
