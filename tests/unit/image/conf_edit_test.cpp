#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <kdev/error.hpp>
#include <kdev/seed_image.hpp>

#include "image/edited.hpp"

namespace kdev {
namespace {

using Action = ConfEdit::Action;
using testing::HasSubstr;
using Type = ImageEntry::Type;

ConfEdit edit(Action action, const std::string& name, const std::string& value,
              const std::string& file = "/etc/x") {
  return {.action = action, .file = file, .name = name, .value = value};
}

TEST(ConfEdit, LinesComeOnce) {
  const ConfEdit e = edit(Action::line, "", "proc /proc procfs rw 0 0");
  const std::string once = e.applied_to("fdesc /dev/fd fdescfs rw 0 0");
  EXPECT_EQ(once, "fdesc /dev/fd fdescfs rw 0 0\nproc /proc procfs rw 0 0\n");
  EXPECT_EQ(e.applied_to(once), once);
  EXPECT_THROW(edit(Action::line, "", "a\nb").applied_to(""), ConfigError);
}

TEST(ConfEdit, ADirectiveTakesThePlaceOfItsDefault) {
  const ConfEdit e = edit(Action::directive, "PermitRootLogin", "yes");
  EXPECT_EQ(e.applied_to("Port 22\n#PermitRootLogin no\nUseDNS no\n"),
            "Port 22\nPermitRootLogin yes\nUseDNS no\n");
  EXPECT_EQ(e.applied_to("#PermitRootLogin no\n  PermitRootLogin\tno\nPermitRootLogin no\n"),
            "#PermitRootLogin no\nPermitRootLogin yes\nPermitRootLogin no\n")
      << "the first counts";
  EXPECT_EQ(e.applied_to("PermitRootLoginX no"), "PermitRootLoginX no\nPermitRootLogin yes\n");
  EXPECT_EQ(e.applied_to("# PermitRootLogin decides\n"), "# PermitRootLogin decides\nPermitRootLogin yes\n")
      << "prose";
  EXPECT_EQ(e.applied_to("permitrootlogin no\n"), "PermitRootLogin yes\n");
  EXPECT_EQ(e.applied_to("Match User x\n  PermitRootLogin no\n"),
            "PermitRootLogin yes\nMatch User x\n  PermitRootLogin no\n")
      << "what holds for x stays";
  EXPECT_THROW(edit(Action::directive, "a b", "c").applied_to(""), ConfigError);
}

TEST(ConfEdit, IsAValue) {
  const ConfEdit e = edit(Action::subtract, "kld_list", "filemon");
  EXPECT_EQ(ConfEdit::from_json(e.to_json()), e);
  EXPECT_THROW(ConfEdit::from_json(R"({"action":"burn"})"), FormatError);
}

/// What the guest would read.
std::string text(const SeedImage& image, const std::string& path) {
  return text_in(image.entries(), path);
}

TEST(EditedImage, ChangesWhatIsThereAndMakesWhatIsNot) {
  const SeedImage image =
      SeedImage::from_entries(
          {{.path = "/etc/rc.conf", .mode = 0600, .content = "hostname=\"old\" # x\nkld_list=\"a\"\n"},
           {.type = Type::symlink, .path = "/conf", .mode = 0777, .target = "etc/rc.conf"}})
          .edit(edit(Action::remove, "hostname", "", "/etc/rc.conf"))
          .edit(edit(Action::append, "kld_list", "filemon", "/conf"))
          .edit(edit(Action::set, "kern.msgbuf_show_timestamp", "2", "/boot/loader.conf"));
  EXPECT_EQ(text(image, "/etc/rc.conf"), "kld_list=\"a filemon\"\n");
  EXPECT_EQ(text(image, "/boot/loader.conf"), "kern.msgbuf_show_timestamp=\"2\"\n");
  for (const ImageEntry& e : image.entries())
    if (e.path == "/etc/rc.conf") EXPECT_EQ(e.mode, 0600u) << "whose it is stays";
  EXPECT_EQ(SeedImage::from_json(image.to_json()), image);
}

TEST(EditedImage, LinksAreFollowedOnTheWay) {
  const SeedImage image =
      SeedImage::from_entries(
          {{.path = "/usr/home/me/conf", .mode = 0600, .content = "a=1\n"},
           {.type = Type::symlink, .path = "/home", .mode = 0777, .target = "usr/home"},
           {.type = Type::symlink, .path = "/usr/home/you", .mode = 0777, .target = "../home/me/../me"},
           {.type = Type::symlink, .path = "/round", .mode = 0777, .target = "round"}})
          .edit(edit(Action::set, "b", "2", "/home/me/conf"))
          .edit(edit(Action::set, "c", "3", "/home/you/conf"));
  EXPECT_EQ(text(image, "/usr/home/me/conf"), "a=1\nb=\"2\"\nc=\"3\"\n");
  EXPECT_EQ(text(image, "/home/you/conf"), text(image, "/usr/home/me/conf"));
  EXPECT_THROW(image.edit(edit(Action::set, "a", "1", "/round")).entries(), ConfigError);
}

TEST(EditedImage, EditsComeAfterWhatIsAddedLater) {
  const SeedImage image =
      SeedImage::from_entries({}).edit(edit(Action::set, "b", "2", "/etc/x")).add_content("a=1\n", "/etc/x");
  EXPECT_EQ(text(image, "/etc/x"), "a=1\nb=\"2\"\n");
}

TEST(EditedImage, NonsenseIsToldAtOnce) {
  const SeedImage image = SeedImage::from_entries({{.type = Type::dir, .path = "/etc", .mode = 0755}});
  EXPECT_THROW(image.edit(edit(Action::set, "a b", "1")), ConfigError);
  EXPECT_THROW(image.edit(edit(Action::set, "a", "1", "etc/x")), ConfigError);
  EXPECT_THROW(image.edit(edit(Action::set, "a", "1", "/etc")).entries(), ConfigError);
}

TEST(EditedImage, WhatAGuestsDiskHasByDefaultIsChangedToo) {
  const SeedImage image = SeedImage::from_entries({}).edit(
      {.action = Action::line, .file = "/etc/fstab", .value = "proc /proc procfs rw 0 0"});
  std::string fstab;
  for (const ImageEntry& e :
       image.entries({{.path = "/etc/fstab", .mode = 0644, .content = "the default\n"}}))
    if (e.path == "/etc/fstab") fstab = e.content;
  EXPECT_EQ(fstab, "the default\nproc /proc procfs rw 0 0\n");
}

TEST(OwnInit, TheAgentIsAService) {
  const SeedImage plain =
      SeedImage::from_entries({{.path = "/init", .mode = 0755, .source = agent_program()}});
  EXPECT_TRUE(plain.agent_is_init());
  const SeedImage image = plain.own_init(Os::freebsd);
  EXPECT_TRUE(image.has_agent());
  EXPECT_FALSE(image.agent_is_init());
  EXPECT_THAT(text(image, "/usr/local/etc/rc.d/kdev_agent"), ::testing::HasSubstr("kdev-agent"));
  EXPECT_EQ(SeedImage::from_json(image.to_json()), image);
  EXPECT_THROW(SeedImage::from_entries({}).own_init(), ConfigError) << "there is no agent";
  EXPECT_THROW(plain.own_init(Os::linux), ConfigError) << "of many kinds of init";
}

TEST(DumpSettings, GoWhereTheGuestLooksForThem) {
  const DumpSettings settings{.device = "gpt/swapfs",
                              .directory = "/var/core",
                              .memory = "256M",
                              .enter_debugger = false,
                              .full = true,
                              .background_fsck = false,
                              .file_delay = 5,
                              .directory_delay = 4,
                              .metadata_delay = 3,
                              .compression = Compression::zstd};
  EXPECT_EQ(DumpSettings::from_json(settings.to_json()), settings);
  const SeedImage image =
      SeedImage::from_entries(
          {{.path = "/etc/sysctl.conf", .mode = 0644, .content = "kern.dirdelay=29\nx=1\n"}})
          .dump_settings(settings);
  EXPECT_EQ(text(image, "/etc/rc.conf"),
            "dumpdev=\"/dev/gpt/swapfs\"\ndumpon_flags=\"-i 0 "
            "-Z\"\ndumpdir=\"/var/core\"\nbackground_fsck=\"NO\"\n");
  EXPECT_EQ(
      text(image, "/boot/loader.conf"),
      "dumpdev=\"gpt/swapfs\"\nhw.physmem=\"256M\"\ndebug.debugger_on_panic=\"0\"\ndebug.minidump=\"0\"\n");
  EXPECT_EQ(text(image, "/etc/sysctl.conf"), "x=1\nkern.filedelay=5\nkern.dirdelay=4\nkern.metadelay=3\n");
}

TEST(DumpSettings, WhatCannotBeIsRefused) {
  const SeedImage image = SeedImage::from_entries({});
  EXPECT_THROW(image.dump_settings({.memory = "much"}), ConfigError);
  EXPECT_THROW(image.dump_settings({.file_delay = 60}), ConfigError);
  EXPECT_THROW(image.dump_settings({.compression = Compression::gzip}), ConfigError);
  EXPECT_THROW(DumpSettings::from_json(R"({"compression": "lzma"})"), FormatError);
  EXPECT_THROW(image.dump_settings({.device = "vtbd0"}, Os::linux), ConfigError);
}

}  // namespace
}  // namespace kdev
