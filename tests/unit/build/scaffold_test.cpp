#include "build/scaffold.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <kdev/error.hpp>

#include "unit/host/temp_dir.hpp"

using namespace kdev;
using kdev::test::TempDir;
using testing::HasSubstr;
namespace fs = boost::filesystem;

namespace {

// Those of a guest that there is not.
const std::vector<guest::Scaffold> scaffolds = {
    {"tape", "a tape driver", [](const std::string& module) -> std::vector<guest::ScaffoldFile> {
       return {{"dev/" + module + ".s", "mov " + module + ",pc\n"}, {"mkfile", "all: " + module + "\n"}};
     }}};

ErrorInfo refusal(const std::vector<guest::Scaffold>& known, const std::string& kind, const std::string& name,
                  const Path& dir) {
  try {
    write_scaffold(*local_host(), known, kind, name, dir);
  } catch (const ConfigError& e) {
    return {.attempted = e.attempted(), .reason = e.reason(), .hint = e.hint(), .log = {}};
  }
  return {.attempted = "", .reason = "accepted", .hint = "", .log = {}};
}

}  // namespace

TEST(WriteScaffold, WritesWhatTheGuestSays) {
  const TempDir dir;
  write_scaffold(*local_host(), scaffolds, "tape", "tm11", dir / "made");
  EXPECT_EQ(local_host()->read_file(dir / "made/dev/tm11.s"), "mov tm11,pc\n");
  EXPECT_EQ(local_host()->read_file(dir / "made/mkfile"), "all: tm11\n");
  // An empty folder is as good as none.
  fs::create_directories(dir / "empty");
  write_scaffold(*local_host(), scaffolds, "tape", "tm11", dir / "empty");
  EXPECT_TRUE(fs::exists(dir / "empty/mkfile"));
}

TEST(WriteScaffold, RefusesWithNothingWritten) {
  const TempDir dir;
  const Path to = dir / "made";
  EXPECT_EQ(refusal(scaffolds, "disk", "rk", to).hint, "scaffolds are: tape (a tape driver)");
  EXPECT_THAT(refusal({}, "tape", "tm11", to).hint, HasSubstr("none for this operating system"));
  for (const char* name : {"", "9lives", "a-b", "../x"})
    EXPECT_THAT(refusal(scaffolds, "tape", name, to).reason, HasSubstr("C function names")) << name;
  EXPECT_FALSE(fs::exists(to));
  dir.write("file", "");
  dir.write("full/x", "");
  for (const char* there : {"file", "full"})
    EXPECT_THAT(refusal(scaffolds, "tape", "tm11", dir / there).reason, HasSubstr("is there already"))
        << there;
}
