// Building a real Linux tree: one kernel (the one that the other tests boot), modules for it, and its
// configurations.
#include <gmock/gmock.h>

#include <boost/filesystem.hpp>

#include "fixture.hpp"

using namespace kdev;
using namespace kdev::test;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = boost::filesystem;

namespace {

class RealTree : public testing::Test {
 protected:
  void SetUp() override {
    if (linux_source().empty())
      GTEST_SKIP() << "KDEV_LINUX_SOURCE does not name a kernel tree: nothing real is built";
    ws_ = std::make_unique<Workspace>(workspace_root(), WorkspaceOptions{.source = linux_source()});
    std::string name = (fs::temp_directory_path() / "kdev-real-XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
  }
  void TearDown() override {
    if (!dir_.empty()) fs::remove_all(dir_);
  }

  std::string run(std::vector<std::string> argv) {
    const ProcessResult result = local_host()->run({.argv = std::move(argv)});
    return result.out + result.err + (result.ok() ? "" : "\n" + describe(result.status));
  }
  static std::vector<std::string> names_in(const Path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  /// Newest change of anything at the top of the tree and in the folders where builds in place leave things.
  static std::string source_state() {
    std::string state;
    for (const char* folder :
         {"", "scripts", "scripts/basic", "scripts/kconfig", "arch/x86", "arch/x86/include", "include",
          "include/linux", "tools/objtool", "usr", "kernel"})
      for (const std::string& name : names_in(linux_source() / folder))
        state += name + " " + std::to_string(fs::last_write_time(linux_source() / folder / name)) + "\n";
    return state;
  }

  std::unique_ptr<Workspace> ws_;
  Path dir_;
};

}  // namespace

TEST_F(RealTree, AKernelIsWholeAndComesFromTheStoreNextTime) {
  const std::string before = source_state();
  const KernelArtifact kernel = test_kernel();
  EXPECT_EQ(kernel.arch, "x86_64");
  EXPECT_EQ(kernel.release, ws_->tree().version);
  EXPECT_THAT(run({"readelf", "-n", kernel.vmlinux.string()}), HasSubstr("Build ID: " + kernel.build_id));
  // The image keeps the note that QEMU boots it by, and is no larger than it must be.
  EXPECT_THAT(run({"readelf", "-n", kernel.image.string()}), HasSubstr("Xen"));
  EXPECT_LT(fs::file_size(kernel.image), 40u << 20);
  EXPECT_GT(fs::file_size(kernel.vmlinux), fs::file_size(kernel.image) * 3);
  EXPECT_THAT(run({"readelf", "-S", "-W", kernel.vmlinux.string()}), HasSubstr(".debug_info"));
  EXPECT_THAT(run({"file", "-b", kernel.bzimage.string()}), HasSubstr("x86 boot"));
  EXPECT_THAT(run({"grep", "-c", " start_kernel$", kernel.system_map.string()}), HasSubstr("1"));
  EXPECT_TRUE(fs::exists(kernel.dir / "compile_commands.json"));
  EXPECT_THAT(run({"grep", "-m1", "fork.c", (kernel.dir / "compile_commands.json").string()}),
              HasSubstr("/kernel/fork.c"));

  const KernelArtifact again = ws_->build(test_conf(*ws_), {.targets = {"vmlinux", "modules", "bzImage"}});
  EXPECT_TRUE(again.from_store);
  EXPECT_EQ(again.id, kernel.id);
  EXPECT_EQ(source_state(), before);
}

TEST_F(RealTree, AModuleIsBuiltWithoutATraceInItsFolder) {
  const KernelArtifact kernel = test_kernel();
  const Path src = ws_->scaffold("hello", "hello", dir_ / "hello");
  const auto files = names_in(src);
  const std::string before = run({"find", kernel.obj.string(), "-printf", "%p %T@ %s\n"});
  const ModuleArtifact module = ws_->build_module(src, kernel);
  EXPECT_FALSE(module.from_store);
  EXPECT_EQ(module.name, "hello");
  EXPECT_EQ(module.kernel_id, kernel.id);
  EXPECT_EQ(names_in(src), files);
  EXPECT_EQ(run({"find", kernel.obj.string(), "-printf", "%p %T@ %s\n"}), before);
  const std::string info = run({"/sbin/modinfo", module.ko.string()});
  EXPECT_THAT(info, HasSubstr("vermagic:       " + kernel.release + " "));
  EXPECT_THAT(info, HasSubstr("who:whom to greet"));
  EXPECT_THAT(run({"readelf", "-n", module.ko.string()}), HasSubstr("Build ID: " + module.build_id));
  // Debug information names the user's own file.
  EXPECT_THAT(run({"readelf", "--debug-dump=info", module.ko.string()}),
              HasSubstr((src / "hello.c").string()));

  EXPECT_TRUE(ws_->build_module(src, kernel).from_store);
  std::string text = local_host()->read_file(src / "hello.c");
  local_host()->write_file(src / "hello.c", text + "int broken = undeclared;\n");
  try {
    ws_->build_module(src, kernel);
    FAIL() << "it was built";
  } catch (const BuildError& e) {
    ASSERT_FALSE(e.diagnostics().empty());
    EXPECT_EQ(e.diagnostics().front().file, src / "hello.c");
    EXPECT_EQ(e.diagnostics().front().line, std::count(text.begin(), text.end(), '\n') + 1);
    EXPECT_THAT(local_host()->read_file(e.log()), HasSubstr("undeclared"));
  }
  local_host()->write_file(src / "hello.c", text);
  EXPECT_TRUE(ws_->build_module(src, kernel).from_store);
}

TEST_F(RealTree, AnUnresolvedSymbolOfAModuleIsADiagnostic) {
  const KernelArtifact kernel = test_kernel();
  const Path src = ws_->scaffold("hello", "asking", dir_ / "asking");
  std::string text = local_host()->read_file(src / "asking.c");
  text.replace(text.find("\treturn greet(who);"), 19, "\textern int nowhere(void);\n\treturn nowhere();");
  local_host()->write_file(src / "asking.c", text);
  try {
    ws_->build_module(src, kernel);
    FAIL() << "it was built";
  } catch (const BuildError& e) {
    EXPECT_THAT(e.reason(), HasSubstr("\"nowhere\""));
    EXPECT_THAT(e.reason(), HasSubstr("undefined"));
  }
}

TEST_F(RealTree, ThePlainMakefileOfTheScaffoldWorksToo) {
  const KernelArtifact kernel = test_kernel();
  const Path src = ws_->scaffold("hello", "plain", dir_ / "plain");
  const std::string out = run({"make", "-C", src.string(), "KERNELDIR=" + kernel.obj.string()});
  EXPECT_TRUE(fs::exists(src / "plain.ko")) << out;
  // What make left there is no input to kdev's own build, and goes with `make clean`.
  EXPECT_EQ(ws_->build_module(src, kernel).name, "plain");
  run({"make", "-C", src.string(), "clean"});
  EXPECT_THAT(names_in(src), testing::ElementsAre("Makefile", "plain.c"));
}

TEST_F(RealTree, AModuleOfSeveralFiles) {
  const KernelArtifact kernel = test_kernel();
  fs::create_directories(dir_ / "multi/ops");
  const auto write = [&](const char* name, const char* text) {
    local_host()->write_file(dir_ / "multi" / name, text);
  };
  write("Makefile",
        "obj-m := multi-part.o\nmulti-part-objs := main.o ops/ops.o\nEXTRA_CFLAGS := -DTEST_DEBUG -ggdb\n");
  write("ops.h", "int answer(void);\n");
  write("main.c",
        "#include <linux/module.h>\n#include \"ops.h\"\n#ifndef TEST_DEBUG\n#error flags\n#endif\n"
        "static int __init start(void) { return answer() == 42 ? 0 : -EINVAL; "
        "}\nmodule_init(start);\nMODULE_LICENSE(\"GPL\");\n");
  write("ops/ops.c", "#include \"../ops.h\"\nint answer(void) { return 42; }\n");
  const ModuleArtifact module = ws_->build_module(dir_ / "multi", kernel);
  EXPECT_EQ(module.name, "multi_part");
  EXPECT_EQ(module.ko.filename(), "multi-part.ko");
}

TEST_F(RealTree, EveryPresetFitsTheTinyBase) {
  const std::string before = source_state();
  for (const std::string& preset : KernConf::preset_names()) {
    const ResolvedConf conf = KernConf::tiny(*ws_).preset(preset).try_resolve(*ws_);
    for (const LostOption& lost : conf.lost) ADD_FAILURE() << preset << " lost " << lost.asked.option;
  }
  EXPECT_EQ(source_state(), before);
}

TEST_F(RealTree, LostOptionsAreExplained) {
  const auto message = [&](const KernConf& conf) -> std::string {
    try {
      conf.resolve(*ws_);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "nothing was lost";
  };
  EXPECT_THAT(message(KernConf::tiny(*ws_).enable("USB_STORAGE").enable("KASANN")),
              testing::AllOf(HasSubstr("USB_STORAGE=y (asked for by: user)"), HasSubstr("USB_SUPPORT=n"),
                             HasSubstr("SCSI=n"),
                             HasSubstr("KASANN=y (asked for by: user): the tree knows no such option"),
                             HasSubstr(" KASAN")));
  EXPECT_THAT(
      message(KernConf::tiny(*ws_).preset("debug").disable("TTY")),
      testing::AllOf(HasSubstr("KGDB_SERIAL_CONSOLE=y (asked for by: preset debug)"), HasSubstr("TTY=n")));
  EXPECT_THAT(message(KernConf::tiny(*ws_).disable("X86")), HasSubstr("X86=n (asked for by: user): is y"));
  EXPECT_EQ(
      KernConf::tiny(*ws_).preset("debug").enable("LKDTM").module("KGDB").resolve(*ws_).values.at("KGDB"),
      "y");
}
