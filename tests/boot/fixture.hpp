#pragma once
// A kernel for the tests that boot: built once into a workspace that outlives the test run.
//   KDEV_LINUX_SOURCE    the kernel tree (Debian's linux-source-6.1, unpacked)
//   KDEV_TEST_WORKSPACE  where to build; default ~/.cache/kdev/test-workspace
//   KDEV_TEST_KERNEL     an artifact.json to use in place of building
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <fstream>
#include <kdev/kdev.hpp>
#include <map>

namespace kdev::test {

inline Path linux_source() {
  const char* source = std::getenv("KDEV_LINUX_SOURCE");
  return source ? Path(source) : Path();
}

inline Path workspace_root() {
  if (const char* root = std::getenv("KDEV_TEST_WORKSPACE")) return root;
  return Path(std::getenv("HOME") ? std::getenv("HOME") : "/tmp") / ".cache/kdev/test-workspace";
}

inline KernConf test_conf(const Workspace& ws) {
  return KernConf::tiny(ws).preset("debug");
}

/// Why nothing can be booted here; empty: all is there.
inline std::string missing() {
  if (linux_source().empty()) return "KDEV_LINUX_SOURCE does not name a kernel tree";
  if (!local_host()->which("qemu-system-x86_64")) return "qemu-system-x86_64 is not installed";
  return {};
}

inline const KernelArtifact& test_kernel() {
  static const KernelArtifact kernel = [] {
    if (const char* ready = std::getenv("KDEV_TEST_KERNEL"))
      return KernelArtifact::from_json(local_host()->read_file(ready));
    Workspace ws(workspace_root(), {.source = linux_source()});
    return ws.build(test_conf(ws), {.targets = {"vmlinux", "modules", "bzImage"}});
  }();
  return kernel;
}

/// Writes the test kernel's image with each text of `changes` replaced wherever it stands: another kernel
/// without another build. Both texts of a change are of one length, and the first is there.
inline void patch_image(const Path& to, const std::map<std::string, std::string>& changes) {
  std::string image = local_host()->read_file(test_kernel().image);
  for (const auto& [from, by] : changes) {
    ASSERT_EQ(from.size(), by.size());
    std::size_t found = 0;
    for (std::size_t at = 0; (at = image.find(from, at)) != std::string::npos; at += by.size(), ++found)
      image.replace(at, by.size(), by);
    ASSERT_GT(found, 0u) << from;
  }
  local_host()->write_file(to, image);
}

/// Children of this process, by name: "PID name".
inline std::vector<std::string> children() {
  std::vector<std::string> found;
  for (const auto& entry : boost::filesystem::directory_iterator("/proc")) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream in((entry.path() / "stat").string());
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto open = text.find('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;
    char state;
    int parent = 0;
    if (std::sscanf(text.c_str() + close + 1, " %c %d", &state, &parent) == 2 && parent == ::getpid())
      found.push_back(entry.path().filename().string() + " " + text.substr(open + 1, close - open - 1));
  }
  return found;
}

struct BootTest : ::testing::Test {
  // Each test has a run directory of its own, so that what it leaves behind is seen.
  Path run_dir =
      boost::filesystem::temp_directory_path() / boost::filesystem::unique_path("kdev-run-%%%%%%%%");

  // And a folder of its own for temporary files.
  Path temporary = run_dir.parent_path() / (run_dir.filename().string() + ".tmp");

  void SetUp() override {
    boost::filesystem::create_directories(temporary);
    ::setenv("TMPDIR", temporary.c_str(), 1);
    if (const std::string why = missing(); !why.empty()) GTEST_SKIP() << why;
    // The kernel is built here, not under a test's own limits.
    test_kernel();
  }
  void TearDown() override {
    // Whatever the test did: no process, no folder, no socket, no lease; only logs.
    EXPECT_THAT(children(), ::testing::IsEmpty());
    if (boost::filesystem::exists(run_dir)) {
      for (const auto& entry : boost::filesystem::directory_iterator(run_dir))
        EXPECT_EQ(entry.path().filename(), "logs") << entry.path();
      boost::filesystem::remove_all(run_dir);
    }
    ::unsetenv("TMPDIR");
    EXPECT_TRUE(boost::filesystem::is_empty(temporary)) << *boost::filesystem::directory_iterator(temporary);
    boost::filesystem::remove_all(temporary);
  }
  VmSpec spec() const {
    VmSpec s;
    s.kernel = test_kernel();
    s.memory = "256M";
    s.run_dir = run_dir;
    return s;
  }
  VM boot() const { return boot(spec()); }
  static VM boot(VmSpec s) {
    VM vm(std::move(s));
    vm.start();
    return vm;
  }
};

}  // namespace kdev::test
