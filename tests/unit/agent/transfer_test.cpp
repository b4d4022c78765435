// Files and directories.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "unit/agent/agent_test.hpp"

namespace kdev::test {
namespace {

namespace fs = std::filesystem;

class AgentTransfers : public AgentTest {
 protected:
  AgentTransfers() { agent.hello(); }
};
INSTANTIATE_TEST_SUITE_P(Programs, AgentTransfers, programs(), program_name);

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string noise(std::size_t size) {
  std::string s(size, '\0');
  unsigned x = 12345;
  for (char& c : s) c = static_cast<char>((x = x * 1103515245 + 12345) >> 16);
  return s;
}

TEST_P(AgentTransfers, PutAndGetAreExact) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{65536}, std::size_t{5'000'001}}) {
    const std::string content = noise(size);
    ASSERT_EQ(agent.put(dir + "/f", content, 0640), 0);
    EXPECT_EQ(slurp(dir + "/f"), content);
    kdev_meta meta{};
    EXPECT_EQ(agent.get(dir + "/f", &meta).first, content);
    EXPECT_EQ(meta.mode, static_cast<unsigned>(S_IFREG | 0640));
    EXPECT_EQ(meta.size, size);
  }
  EXPECT_EQ(files(), std::vector<std::string>{"f"});
}

TEST_P(AgentTransfers, ModesHoldWhateverTheUmask) {
  ASSERT_EQ(agent.put(dir + "/f", "x", 04777), 0);
  struct stat st;
  ASSERT_EQ(::stat((dir + "/f").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 04777u);
}

TEST_P(AgentTransfers, APutReplacesWholeOrNotAtAll) {
  ASSERT_EQ(agent.put(dir + "/f", "old"), 0);
  const kdev_put request{0644, 0, 10};
  agent.send(KDEV_PUT, 5, bytes_of(request) + dir + "/f");
  agent.send(KDEV_DATA, 5, "12345");
  EXPECT_EQ(agent.get(dir + "/f").first, "old") << "while it runs";
  agent.send(KDEV_DATA_END, 5);
  const Frame f = agent.receive();
  EXPECT_EQ(f.type, KDEV_ERROR) << "five bytes are missing";
  EXPECT_EQ(slurp(dir + "/f"), "old");
  EXPECT_EQ(files(), std::vector<std::string>{"f"});
}

TEST_P(AgentTransfers, ResetForgetsAndRemovesTemporaries) {
  const kdev_put request{0644, 0, 10};
  agent.send(KDEV_PUT, 5, bytes_of(request) + dir + "/f");
  agent.send(KDEV_DATA, 5, "12345");
  agent.hello();
  EXPECT_TRUE(files().empty());
}

TEST_P(AgentTransfers, TheEndOfTheChannelRemovesTemporaries) {
  const kdev_put request{0644, 0, 10};
  agent.send(KDEV_PUT, 5, bytes_of(request) + dir + "/f");
  agent.send(KDEV_DATA, 5, "12345");
  agent.shell("true");
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(agent.close_and_wait(), 0);
  EXPECT_TRUE(files().empty());
}

TEST_P(AgentTransfers, ThroughASymbolicLinkTheTargetIsReplaced) {
  ASSERT_EQ(agent.put(dir + "/real", "old"), 0);
  fs::create_symlink("real", dir + "/link");
  ASSERT_EQ(agent.put(dir + "/link", "new"), 0);
  EXPECT_TRUE(fs::is_symlink(dir + "/link"));
  EXPECT_EQ(slurp(dir + "/real"), "new");
}

TEST_P(AgentTransfers, Errors) {
  EXPECT_EQ(agent.put(dir + "/no/such", "x"), ENOENT);
  EXPECT_EQ(agent.put(dir, "x"), EISDIR);
  EXPECT_EQ(agent.put(dir + "/" + std::string(300, 'n'), "x"), ENAMETOOLONG);
  EXPECT_EQ(agent.get(dir + "/nope").second, ENOENT);
  EXPECT_EQ(agent.get(dir).second, EISDIR);
  ASSERT_EQ(agent.put(dir + "/f", "x"), 0);
  EXPECT_EQ(agent.mkdir(dir + "/f"), ENOTDIR);
  EXPECT_EQ(agent.mkdir(dir + "/f/x"), ENOTDIR);
  EXPECT_EQ(files(), std::vector<std::string>{"f"});
}

TEST_P(AgentTransfers, ADiskThatIsFullIsToldAndCleaned) {
  const std::string small = dir + "/small";
  fs::create_directory(small);
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting needs root";
  EXPECT_EQ(agent.put(small + "/ok", std::string(100'000, 'x')), 0);
  EXPECT_EQ(agent.put(small + "/ok", std::string(3'000'000, 'y')), ENOSPC);
  EXPECT_EQ(slurp(small + "/ok"), std::string(100'000, 'x')) << "the old file is whole";
  EXPECT_EQ(files(), (std::vector<std::string>{"small", "small/ok"}));
  EXPECT_EQ(::umount(small.c_str()), 0);
}

TEST_P(AgentTransfers, FilesOfProcHaveNoSizeButContent) {
  kdev_meta meta{};
  const auto [content, error] = agent.get("/proc/version", &meta);
  EXPECT_EQ(meta.size, 0u);
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, slurp("/proc/version"));
  EXPECT_EQ(agent.get("/proc/self/mem").second, EIO) << "an error in the middle is an error";
}

TEST_P(AgentTransfers, DevicesAreWrittenInPlace) {
  EXPECT_EQ(agent.put("/dev/null", "gone"), 0);
  struct stat st;
  ASSERT_EQ(::stat("/dev/null", &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode));
  EXPECT_EQ(agent.put("/dev/full", "x"), ENOSPC);
}

TEST_P(AgentTransfers, AKnobOfTheKernelIsWrittenInPlace) {
  const std::string knob = "/proc/" + std::to_string(agent.pid()) + "/comm";
  ASSERT_EQ(agent.put(knob, "renamed"), 0);
  EXPECT_EQ(agent.get(knob).first, "renamed\n");
}

TEST_P(AgentTransfers, AFifoWithoutWriterBlocksNobody) {
  ASSERT_EQ(::mkfifo((dir + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(agent.get(dir + "/fifo").first, "");
  EXPECT_EQ(agent.put(dir + "/fifo", "x"), ENXIO) << "no reader";
}

TEST_P(AgentTransfers, DirectoriesWithParents) {
  EXPECT_EQ(agent.mkdir(dir + "/a/b//c/", 0700), 0);
  EXPECT_EQ(agent.mkdir(dir + "/a/b/c", 0755), 0) << "already there";
  struct stat st;
  ASSERT_EQ(::stat((dir + "/a/b/c").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700u);
  ASSERT_EQ(::stat((dir + "/a").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0755u);
}

TEST_P(AgentTransfers, ListsHoldEveryName) {
  std::map<std::string, unsigned> want;
  for (int i = 0; i < 1500; ++i) {
    const std::string name = "file-with-a-rather-long-name-" + std::to_string(i);
    std::ofstream(dir + "/" + name) << "x";
    want[name] = S_IFREG;
  }
  fs::create_directory(dir + "/sub");
  fs::create_symlink("nowhere", dir + "/link");
  want["sub"] = S_IFDIR;
  want["link"] = S_IFLNK;
  agent.send(KDEV_LIST, 5, dir);
  Frame f = agent.receive();
  ASSERT_EQ(f.type, KDEV_META);
  EXPECT_TRUE(S_ISDIR(read_as<kdev_meta>(f.payload).mode));
  std::map<std::string, unsigned> got;
  for (f = agent.receive(); f.type == KDEV_DATA; f = agent.receive()) {
    for (std::size_t at = 0; at < f.payload.size();) {
      const auto meta = read_as<kdev_meta>(std::string_view(f.payload).substr(at));
      const std::string name = f.payload.c_str() + at + sizeof meta;
      got[name] = meta.mode & S_IFMT;
      at += sizeof meta + name.size() + 1;
    }
  }
  EXPECT_EQ(f.type, KDEV_DATA_END);
  EXPECT_EQ(got, want);
  agent.send(KDEV_LIST, 6, dir + "/nope");
  EXPECT_EQ(agent.receive().type, KDEV_ERROR);
}

TEST_P(AgentTransfers, SeveralAtOnceWithJobs) {
  const std::string content = noise(2'000'000);
  ASSERT_EQ(agent.put(dir + "/a", content), 0);
  agent.send(KDEV_GET, 1, dir + "/a");
  agent.send(KDEV_GET, 2, dir + "/a");
  agent.start(3, {.argv = {"cat", dir + "/a"}, .env = {}, .cwd = {}});
  std::map<std::uint32_t, std::string> got;
  for (int open = 3; open;) {
    const Frame f = agent.receive();
    ASSERT_NE(f.type, 0u);
    if (f.type == KDEV_DATA || f.type == KDEV_OUT) got[f.id] += f.payload;
    if (f.type == KDEV_DATA_END || f.type == KDEV_EXIT) --open;
  }
  for (std::uint32_t id = 1; id <= 3; ++id) EXPECT_EQ(got[id], content);
}

}  // namespace
}  // namespace kdev::test
