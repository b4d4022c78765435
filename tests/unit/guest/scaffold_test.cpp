#include "guest/scaffold.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "guest/guest.hpp"

using namespace kdev;
using namespace kdev::guest;
using testing::HasSubstr;
using testing::Not;

TEST(Scaffolds, AreWellFormed) {
  for (const Guest* guest : all_guests()) {
    std::set<std::string> names;
    for (const Scaffold& scaffold : guest->scaffolds()) {
      SCOPED_TRACE(os_title(guest->os()) + " " + scaffold.name);
      EXPECT_TRUE(names.insert(scaffold.name).second);
      EXPECT_FALSE(scaffold.summary.empty());
      std::set<Path> paths;
      for (const ScaffoldFile& file : scaffold.files("some_name")) {
        EXPECT_TRUE(file.path.is_relative()) << file.path;
        EXPECT_TRUE(paths.insert(file.path).second) << file.path;
        EXPECT_THAT(file.content, testing::EndsWith("\n"));
        EXPECT_THAT(file.content, HasSubstr("some_name"));
        EXPECT_THAT(file.content, Not(HasSubstr("@NAME@")));
      }
      EXPECT_FALSE(paths.empty());
    }
  }
}

TEST(Scaffolds, LinuxHello) {
  const std::vector<Scaffold>& known = guest_for(Os::linux).scaffolds();
  ASSERT_FALSE(known.empty());
  EXPECT_EQ(known[0].name, "hello");
  const std::vector<ScaffoldFile> files = known[0].files("greeter");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "greeter.c");
  EXPECT_THAT(files[0].content, HasSubstr("module_init(greeter_init);"));
  EXPECT_EQ(files[1].path, "Makefile");
  EXPECT_THAT(files[1].content, HasSubstr("obj-m := greeter.o"));
}

TEST(Scaffolds, FreebsdHello) {
  const std::vector<Scaffold>& known = guest_for(Os::freebsd).scaffolds();
  ASSERT_FALSE(known.empty());
  EXPECT_EQ(known[0].name, "hello");
  const std::vector<ScaffoldFile> files = known[0].files("greeter");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_THAT(files[0].content, HasSubstr("DECLARE_MODULE(greeter, greeter_mod,"));
  EXPECT_THAT(files[1].content, HasSubstr("KMOD=\tgreeter\n"));
  EXPECT_THAT(files[1].content, HasSubstr(".include <bsd.kmod.mk>"));
}

TEST(Scaffolds, FreebsdGeomClass) {
  const std::vector<Scaffold>& known = guest_for(Os::freebsd).scaffolds();
  ASSERT_GE(known.size(), 2u);
  EXPECT_EQ(known[1].name, "geom-class");
  const std::vector<ScaffoldFile> files = known[1].files("long_twisted");
  ASSERT_EQ(files.size(), 5u);
  EXPECT_THAT(files[0].content, HasSubstr("KMOD=\tgeom_long_twisted\n"));
  EXPECT_THAT(files[1].content, HasSubstr("\"GEOM::LONG_TWIS\"")) << "with its end it has 16 bytes";
  EXPECT_EQ(files[2].path, "g_long_twisted.c");
  EXPECT_THAT(files[2].content, HasSubstr("DECLARE_GEOM_CLASS(g_long_twisted_class, g_long_twisted);"));
  EXPECT_EQ(files[4].path, "ctl/long_twistedctl.c");
  for (const ScaffoldFile& file : files) {
    EXPECT_THAT(file.content, Not(HasSubstr("@UPPER@"))) << file.path;
    EXPECT_THAT(file.content, Not(HasSubstr("@MAGIC@"))) << file.path;
  }
}

TEST(Scaffolds, MarksAreFilledInOnce) {
  EXPECT_EQ(filled_in("@N@ and @N@.", "@N@", "@N@x"), "@N@x and @N@x.");
  EXPECT_EQ(filled_in("none", "@N@", "x"), "none");
}
