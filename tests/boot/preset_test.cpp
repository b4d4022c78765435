// The presets that change how the whole kernel is compiled: built, booted, and seen to do what they are for.
// A kernel takes minutes to build: one that the test workspace's store does not have is built only with
// KDEV_TEST_PRESETS=1.
#include <gmock/gmock.h>

#include <boost/filesystem.hpp>

#include "fixture.hpp"

using namespace kdev;
using namespace kdev::test;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

class Presets : public BootTest {
 protected:
  struct NotStored {};

  /// tiny+debug+PRESET; nothing where the test is to be skipped. `option`: enabled, too.
  std::optional<KernelArtifact> kernel(const std::string& preset, const std::string& option = {}) {
    Workspace ws(workspace_root(), {.source = linux_source()});
    KernConf conf = test_conf(ws).preset(preset);
    if (!option.empty()) conf = conf.enable(option);
    const char* all = std::getenv("KDEV_TEST_PRESETS");
    if (all && std::string(all) == "1") return ws.build(conf);
    const auto stored = ws.stored();
    if (std::none_of(stored.begin(), stored.end(), [&](const StoredArtifact& artifact) {
          return artifact.kind == "kernel" && artifact.title.ends_with("tiny+debug+" + preset);
        }))
      return std::nullopt;
    // It may be one of another tree or compiler.
    try {
      return ws.build(conf, {.on_event = [](const Event& e) {
                        if (std::holds_alternative<Progress>(e)) throw NotStored();
                      }});
    } catch (const NotStored&) {
      return std::nullopt;
    }
  }
  VM boot_with(const KernelArtifact& kernel, const std::string& cmdline = {}) {
    VmSpec s = spec();
    s.cmdline = cmdline;
    s.kernel = kernel;
    s.memory = "512M";
    return boot(std::move(s));
  }
  static CommandResult lkdtm(VM& vm, const std::string& crash) {
    return vm.run("echo " + crash + " > /sys/kernel/debug/provoke-crash/DIRECT");
  }
  static std::vector<std::string> trace_names(const CrashReport& report) {
    std::vector<std::string> names;
    for (const StackTrace& trace : report.traces) names.push_back(trace.name);
    return names;
  }
};

constexpr const char* not_stored =
    "its kernel is not in the store: KDEV_TEST_PRESETS=1 builds it, which takes minutes";

}  // namespace

TEST_F(Presets, KasanNamesWhoAllocatedAndFreed) {
  const auto kernel = this->kernel("kasan", "X86_5LEVEL");  // the kernel of test_linux_kasan.py
  if (!kernel) GTEST_SKIP() << not_stored;
  EXPECT_FALSE(kernel->bzimage.empty());  // what it boots by
  VM vm = boot_with(*kernel, "kasan_multi_shot");
  for (const auto& [crash, access, function] :
       {std::tuple{"READ_AFTER_FREE", "Read", "lkdtm_READ_AFTER_FREE"},
        {"WRITE_AFTER_FREE", "Write", "lkdtm_WRITE_AFTER_FREE"}}) {
    const CommandResult r = lkdtm(vm, crash);
    ASSERT_TRUE(r.crash) << r.console;
    EXPECT_EQ(r.crash->kind, "kasan");
    EXPECT_THAT(r.crash->title,
                AllOf(StartsWith("KASAN: "), HasSubstr(std::string(access) + " in " + function)));
    EXPECT_FALSE(r.crash->panicked);
    EXPECT_THAT(trace_names(*r.crash),
                AllOf(Contains(StartsWith("Allocated by task")), Contains(StartsWith("Freed by task"))));
    for (const StackTrace& trace : r.crash->traces)
      EXPECT_THAT(trace.frames, Contains(testing::Field(&StackFrame::function, StartsWith(function))))
          << trace.name;
    ASSERT_TRUE(r.crash->guilty());
    EXPECT_EQ(r.crash->guilty()->file, "drivers/misc/lkdtm/heap.c");
  }
  EXPECT_EQ(vm.run("echo alive").out, "alive\n");
}

TEST_F(Presets, DebuggableInlinesNothingByChoice) {
  const auto kernel = this->kernel("debuggable");
  if (!kernel) GTEST_SKIP() << not_stored;
  // Static, called once, not marked inline: -O2 leaves none of them in the symbol table.
  const std::string ours = local_host()->read_file(kernel->system_map);
  const std::string plain = local_host()->read_file(test_kernel().system_map);
  for (const char* function :
       {" t do_initcalls\n", " t copy_files\n", " t copy_mm\n", " t exit_mm\n", " t open_last_lookups\n"}) {
    EXPECT_THAT(ours, HasSubstr(function));
    EXPECT_THAT(plain, Not(HasSubstr(function)));
  }
  VM vm = boot_with(*kernel);
  EXPECT_EQ(vm.run("uname -r").out, kernel->release + "\n");
}

TEST_F(Presets, LockdepSeesALockHeldForEver) {
  const auto kernel = this->kernel("lockdep");
  if (!kernel) GTEST_SKIP() << not_stored;
  VM vm = boot_with(*kernel);
  const CommandResult r = lkdtm(vm, "SPINLOCKUP");  // returns to user space with the lock held
  ASSERT_TRUE(r.crash) << r.console;
  EXPECT_THAT(r.crash->title, HasSubstr("lock held when returning to user space"));
}

TEST_F(Presets, CoverageHasKcov) {
  const auto kernel = this->kernel("coverage");
  if (!kernel) GTEST_SKIP() << not_stored;
  VM vm = boot_with(*kernel);
  EXPECT_TRUE(vm.run("test -e /sys/kernel/debug/kcov").ok());
}
