// Files, sockets and facts of this machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <thread>

#include "host/random.hpp"
#include "host/unix_socket.hpp"
#include "unit/host/temp_dir.hpp"

namespace kdev {
namespace {

namespace fs = boost::filesystem;
using test::TempDir;
using ::testing::HasSubstr;

Host& host() {
  return *local_host();
}

std::vector<std::string> names_in(const Path& dir) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir)) names.push_back(entry.path().filename().string());
  return names;
}

template <class F>
std::string host_error(F f) {
  try {
    f();
  } catch (const HostError& e) {
    return e.what();
  }
  ADD_FAILURE() << "no HostError";
  return "";
}

TEST(Files, WriteReadExistsRemove) {
  const TempDir dir;
  const std::string bytes("a\0b\xff\n", 5);
  EXPECT_FALSE(host().exists(dir / "f"));
  host().write_file(dir / "f", bytes);
  EXPECT_TRUE(host().exists(dir / "f"));
  EXPECT_EQ(host().read_file(dir / "f"), bytes);
  host().write_file(dir / "f", "");
  EXPECT_EQ(host().read_file(dir / "f"), "");
  host().make_directories(dir / "a/b/c");
  host().make_directories(dir / "a/b/c");
  host().write_file(dir / "a/b/c/g", "x");
  host().remove_all(dir / "a");
  host().remove_all(dir / "a");
  EXPECT_FALSE(host().exists(dir / "a"));
  EXPECT_THAT(names_in(dir.path()), ::testing::ElementsAre("f"));
}

TEST(Files, ErrorsNameThePathAndTheReason) {
  const TempDir dir;
  EXPECT_THAT(host_error([&] { host().read_file(dir / "nope"); }),
              AllOf(HasSubstr("nope"), HasSubstr("No such file")));
  EXPECT_THAT(host_error([&] { host().read_file(dir.path()); }), HasSubstr("Is a directory"));
  EXPECT_THAT(host_error([&] { host().write_file(dir / "no/f", "x"); }),
              AllOf(HasSubstr("no/f"), HasSubstr("No such file")));
  EXPECT_THAT(host_error([&] { host().write_file(dir.path(), "x"); }), HasSubstr("Is a directory"));
  dir.write("file", "");
  EXPECT_THAT(host_error([&] { host().make_directories(dir / "file/sub"); }), HasSubstr("file/sub"));
  EXPECT_FALSE(host().exists(dir / "file/sub"));
}

TEST(Files, ModeIsTheUmasksOrThatOfTheOldFile) {
  const TempDir dir;
  const mode_t mask = ::umask(027);
  host().write_file(dir / "new", "x");
  ::umask(mask);
  struct stat st;
  ASSERT_EQ(::stat((dir / "new").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0640u);
  ::chmod((dir / "new").c_str(), 0751);
  host().write_file(dir / "new", "y");
  ASSERT_EQ(::stat((dir / "new").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0751u);
}

TEST(Files, LinksStay) {
  const TempDir dir;
  dir.write("target", "old");
  fs::create_symlink("target", dir / "link");
  host().write_file(dir / "link", "new");
  EXPECT_TRUE(fs::is_symlink(dir / "link"));
  EXPECT_EQ(TempDir::read(dir / "target"), "new");
}

TEST(Files, KernelFiles) {
  EXPECT_THAT(host().read_file("/proc/self/status"), HasSubstr("Pid:"));
  EXPECT_GT(host().read_file("/proc/self/maps").size(), 100u);
  // A knob that belongs to this process alone: what is written can be read back.
  const Path knob = "/proc/self/comm";
  const std::string before = host().read_file(knob);
  host().write_file(knob, "kdev-comm");
  EXPECT_EQ(host().read_file(knob), "kdev-comm\n");
  host().write_file(knob, before.substr(0, before.size() - 1));
  host().write_file("/dev/null", "x");
  EXPECT_THAT(host_error([&] { host().write_file("/dev/full", "x"); }), HasSubstr("No space left"));
}

TEST(Files, FullDiskLeavesTheOldFileAndNothingElse) {
  const TempDir dir;
  if (::mount("kdev-test", dir.path().c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "cannot mount a tmpfs";
  host().write_file(dir / "f", "precious");
  std::string message = host_error([&] { host().write_file(dir / "f", std::string(1u << 20, 'x')); });
  EXPECT_THAT(message, AllOf(HasSubstr("No space left"), HasSubstr("try:")));
  EXPECT_EQ(host().read_file(dir / "f"), "precious");
  EXPECT_THAT(names_in(dir.path()), ::testing::ElementsAre("f"));
  ::umount(dir.path().c_str());
}

TEST(Files, AtomicForReaders) {
  const TempDir dir;
  const std::string a(100000, 'a'), b(200000, 'b');
  host().write_file(dir / "f", a);
  std::jthread writer([&](const std::stop_token& stop) {
    for (bool turn = false; !stop.stop_requested(); turn = !turn) host().write_file(dir / "f", turn ? a : b);
  });
  for (int i = 0; i < 300; ++i) {
    const std::string seen = host().read_file(dir / "f");
    ASSERT_TRUE(seen == a || seen == b) << seen.size();
  }
}

TEST(Machine, Facts) {
  EXPECT_GE(host().cpu_count(), 1);
  EXPECT_LE(host().cpu_count(), static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_GT(host().memory_available(), 1u << 20);
  EXPECT_TRUE(host().is_local());
  EXPECT_NE(host().name(), "");
  EXPECT_EQ(local_host(), local_host());
  ASSERT_TRUE(host().which("sh"));
  EXPECT_TRUE(host().which("sh")->is_absolute());
  EXPECT_FALSE(host().which("kdev-no-such-program"));
  EXPECT_FALSE(host().which(""));
  // As execvp(3) takes a name with a slash: for a path.
  EXPECT_EQ(host().which("/bin/sh"), Path("/bin/sh"));
  EXPECT_FALSE(host().which("/bin/kdev-no-such-program"));
  EXPECT_NE(random_token(), random_token());
  EXPECT_EQ(random_token().size(), 32u);
}

TEST(Machine, SystemFoldersAreSearchedToo) {
  const std::string before = ::getenv("PATH");
  ::setenv("PATH", "/bin", 1);
  const auto found = host().which("ldconfig");  // in /sbin, of the C library
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_TRUE(found);
}

TEST(UnixSocket, InADirectoryOfAnyLength) {
  const TempDir dir;
  Path deep = dir.path();
  while (deep.string().size() < 400) deep /= "a-rather-long-folder-name";
  host().make_directories(deep);
  const UniqueFd listening = listen_unix(deep, "qmp.sock");
  struct stat st;
  ASSERT_EQ(::stat((deep / "qmp.sock").c_str(), &st), 0);
  EXPECT_TRUE(S_ISSOCK(st.st_mode));
  EXPECT_EQ(st.st_mode & 07777, 0600u);
  const UniqueFd client = connect_unix(deep, "qmp.sock");
  const UniqueFd server(::accept(listening.get(), nullptr, nullptr));
  ASSERT_EQ(::write(client.get(), "hi", 2), 2);
  char text[8] = {};
  EXPECT_EQ(::read(server.get(), text, sizeof text), 2);
  EXPECT_STREQ(text, "hi");
  for (const UniqueFd* fd : {&listening, &client}) EXPECT_TRUE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC);
}

TEST(UnixSocket, StaleOnesAreReplacedOthersAreNot) {
  const TempDir dir;
  listen_unix(dir.path(), "s");
  EXPECT_THAT(host_error([&] { connect_unix(dir.path(), "s"); }), HasSubstr("refused"));
  const UniqueFd listening = listen_unix(dir.path(), "s");
  EXPECT_TRUE(connect_unix(dir.path(), "s"));
  dir.write("file", "precious");
  EXPECT_THAT(host_error([&] { listen_unix(dir.path(), "file"); }), HasSubstr("exists"));
  EXPECT_EQ(TempDir::read(dir / "file"), "precious");
  EXPECT_THAT(host_error([&] { connect_unix(dir.path(), "nope"); }), HasSubstr("nope"));
  EXPECT_THAT(host_error([&] { listen_unix(dir / "nope", "s"); }), HasSubstr("No such file"));
  EXPECT_THAT(host_error([&] { listen_unix(dir.path(), "a/b"); }), HasSubstr("file name"));
  EXPECT_THAT(host_error([&] { listen_unix(dir.path(), ""); }), HasSubstr("file name"));
}

TEST(UniqueFd, ClosesOnce) {
  int raw[2];
  ASSERT_EQ(::pipe2(raw, O_CLOEXEC), 0);
  UniqueFd reader(raw[0]), writer(raw[1]);
  UniqueFd moved = std::move(writer);
  EXPECT_FALSE(writer);
  EXPECT_EQ(moved.get(), raw[1]);
  moved = std::move(moved);
  EXPECT_EQ(moved.get(), raw[1]);
  moved.reset();
  char c;
  EXPECT_EQ(::read(reader.get(), &c, 1), 0);  // end of file: the writing end is closed
  EXPECT_EQ(reader.release(), raw[0]);
  EXPECT_FALSE(reader);
  ::close(raw[0]);
}

}  // namespace
}  // namespace kdev
