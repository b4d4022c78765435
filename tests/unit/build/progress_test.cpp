#include "build/progress.hpp"

#include <gtest/gtest.h>

#include "build/file_hashes.hpp"
#include "build/object_counts.hpp"
#include "common/digest.hpp"
#include "unit/host/temp_dir.hpp"

using namespace kdev;
using kdev::test::TempDir;

namespace {

std::vector<Progress> progress_of(long expected, int objects) {
  std::vector<Progress> events;
  BuildProgress progress("build", expected,
                         [&](const Event& event) { events.push_back(std::get<Progress>(event)); });
  for (int i = 0; i < objects; ++i) progress.made("a.o");
  progress.finish();
  return events;
}

}  // namespace

TEST(BuildProgress, EndsWithWhatWasMade) {
  const auto events = progress_of(10, 3);
  EXPECT_EQ(events.front().done, 1);
  EXPECT_EQ(events.front().total, 10);
  EXPECT_EQ(events.back().done, 3);
  EXPECT_EQ(events.back().total, 3);
  EXPECT_EQ(events.back().stage, "build");
}

TEST(BuildProgress, AnEstimateThatWasTooLowGrows) {
  for (const Progress& p : progress_of(2, 50)) EXPECT_LE(p.done, p.total);
}

TEST(BuildProgress, AnUnknownTotalStaysUnknownUntilTheEnd) {
  const auto events = progress_of(0, 2);
  EXPECT_EQ(events.front().total, 0);
  EXPECT_LT(events.front().eta.count(), 0);
  EXPECT_EQ(events.back().total, 2);
}

TEST(ObjectCounts, RemembersAndScalesEstimates) {
  TempDir dir;
  ObjectCounts(*local_host(), dir / "counts").learn("a", 120, 100);
  const ObjectCounts counts(*local_host(), dir / "counts");
  EXPECT_EQ(counts.expected("a", 7), 120);
  EXPECT_EQ(counts.expected("b", 50), 60);
  dir.write("counts", "{");
  EXPECT_EQ(ObjectCounts(*local_host(), dir / "counts").expected("a", 7), 7);
  // Nowhere to save: no error.
  ObjectCounts(*local_host(), "/nonexistent/counts").learn("a", 1, 1);
}

TEST(FileHashes, SeeEveryChange) {
  TempDir dir;
  dir.write("tool", "aaaa");
  FileHashes hashes(*local_host(), dir / "hashes");
  EXPECT_EQ(hashes.of(dir / "tool"), sha256("aaaa"));
  dir.write("tool", "bbbb");
  EXPECT_EQ(hashes.of(dir / "tool"), sha256("bbbb"));
  EXPECT_ANY_THROW(hashes.of(dir / "missing"));
}

TEST(FileHashes, AreRememberedForFilesThatSettled) {
  TempDir dir;
  const Path tool = "/bin/sh";
  const std::string hash = FileHashes(*local_host(), dir / "hashes").of(tool);
  {
    FileHashes hashes(*local_host(), dir / "hashes");
    hashes.of(tool);
    hashes.save();
  }
  // What was remembered is believed: seen by putting another hash there.
  std::string text = TempDir::read(dir / "hashes");
  ASSERT_EQ(text.substr(0, 64), hash);
  text.replace(0, 64, std::string(64, '0'));
  dir.write("hashes", text);
  EXPECT_EQ(FileHashes(*local_host(), dir / "hashes").of(tool), std::string(64, '0'));
  dir.write("hashes", "nonsense\n\n1 2 3\n");
  EXPECT_EQ(FileHashes(*local_host(), dir / "hashes").of(tool), hash);
}
