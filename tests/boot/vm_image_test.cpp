// What a guest boots with: images made from folders and lists, and modules out of tree.
#include "fixture.hpp"

using namespace kdev;
using kdev::test::BootTest;
using ::testing::HasSubstr;
namespace fs = boost::filesystem;

namespace {

struct Image : BootTest {
  Path files() const {
    const Path dir = run_dir / "logs" / "files";
    fs::create_directories(dir);
    return dir;
  }
  static Path busybox() {
    const auto program = local_host()->which("busybox");
    return program ? fs::canonical(*program) : Path();
  }
  VM boot_image(const SeedImage& image) const {
    VmSpec s = spec();
    s.image = image;
    return boot(s);
  }
};

TEST_F(Image, AFolderBootsWithTheAgent) {
  if (busybox().empty()) GTEST_SKIP() << "no busybox";
  const Path root = files() / "root";
  fs::create_directories(root / "bin");
  fs::create_directories(root / "etc");
  fs::copy_file(busybox(), root / "bin" / "busybox");
  fs::permissions(root / "bin" / "busybox", fs::perms(0755));
  fs::create_symlink("busybox", root / "bin" / "sh");
  local_host()->write_file(root / "etc" / "motd", "from a folder\n");
  VM vm = boot_image(SeedImage::directory(root, true));
  EXPECT_EQ(vm.state(), VmState::ready);
  EXPECT_EQ(vm.run("read line < /etc/motd; echo $line").out, "from a folder\n");
}

TEST_F(Image, AListBootsWithTheAgent) {
  if (busybox().empty()) GTEST_SKIP() << "no busybox";
  const Path list = files() / "image.list";
  local_host()->write_file(list,
                           "dir /bin 0755 0 0\nfile /bin/busybox " + busybox().string() +
                               " 0755 0 0\nslink /bin/sh busybox 0777 0 0\ndir /etc 0755 0 0\nfile /etc/motd "
                               "motd 0644 0 0\nfile /init " +
                               agent_program().string() + " 0755 0 0\n");
  local_host()->write_file(files() / "motd", "from a list\n");
  VM vm = boot_image(SeedImage::list(list));
  EXPECT_EQ(vm.state(), VmState::ready);
  EXPECT_EQ(vm.run("read line < /etc/motd; echo $line").out, "from a list\n");
}

TEST_F(Image, ACrashInAModuleNamesTheLineOfItsSource) {
  const Path source = Path(KDEV_SOURCE_DIR) / "tests/boot/data/oopser";
  Workspace ws(test::workspace_root(), {.source = test::linux_source()});
  VmSpec s = spec();
  s.modules = {ws.build_module(source, s.kernel)};
  VM vm = boot(s);
  const CommandResult r = vm.run("insmod /m/oopser.ko");
  ASSERT_TRUE(r.crash);
  EXPECT_THAT(r.crash->title, HasSubstr("oopser_write"));
  EXPECT_TRUE(r.crash->symbolized);
  const StackFrame* guilty = r.crash->guilty();
  ASSERT_NE(guilty, nullptr);
  EXPECT_EQ(guilty->function, "oopser_write");
  EXPECT_EQ(guilty->module, "oopser");
  EXPECT_EQ(Path(guilty->file).filename(), "oopser.c");
  const std::string text = local_host()->read_file(source / "oopser.c");
  const auto marked = text.substr(0, text.find("the line that the report names"));
  EXPECT_EQ(guilty->line, 1 + std::count(marked.begin(), marked.end(), '\n'));
}

}  // namespace
