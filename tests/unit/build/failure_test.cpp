// Builds that fail, are stopped, or meet another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <chrono>
#include <kdev/error.hpp>
#include <thread>

#include "unit/build/fake_tree.hpp"

using namespace kdev;
using namespace kdev::test;
using testing::HasSubstr;
namespace fs = boost::filesystem;

namespace {

class Failure : public testing::Test {
 protected:
  KernelArtifact build(const KernConf& conf = FakeTree::conf(), BuildOptions options = {}) {
    return tree.open().build(conf, options);
  }

  /// A compiler that takes its time over kernel/sched.c, once it has begun to write the object.
  void slow_compiler() {
    tree.add_program(
        "gcc",
        "#!/bin/sh\ncase \" $* \" in *\" -E \"*) ;; *sched.c*) for a; do [ \"$last\" = -o ] && echo "
        "cut-off > \"$a\"; last=$a; done;"
        " touch " +
            (tree.top / "compiling").string() + "; sleep 600;; esac\nexec /usr/bin/gcc \"$@\"\n");
  }
  /// Runs f on another thread once the slow compiler is at work.
  template <class F>
  std::jthread when_compiling(F f) {
    return std::jthread([this, f](std::stop_token stop) {
      while (!stop.stop_requested() && !fs::exists(tree.top / "compiling"))
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (!stop.stop_requested()) f();
    });
  }
  /// After anything: nobody runs, nothing unpublished lies about, and the next build is right.
  void expect_nothing_left() {
    EXPECT_THAT(processes_in(tree.top), testing::IsEmpty());
    for (const auto& entry : fs::directory_iterator(tree.top / "ws/artifacts"))
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
  }

  FakeTree tree;
};

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_F(Failure, ABrokenFileIsNamed) {
  build();
  tree.write("kernel/fork.c", "int f(void)\n{\n\treturn undeclared;\n}\n");
  std::vector<Diagnostic> told;
  BuildOptions options;
  options.on_event = [&](const Event& e) {
    if (const auto* d = std::get_if<DiagnosticFound>(&e)) told.push_back(d->diagnostic);
  };
  try {
    build(FakeTree::conf(), options);
    FAIL() << "it was built";
  } catch (const BuildError& e) {
    ASSERT_FALSE(e.diagnostics().empty());
    const Diagnostic& first = e.diagnostics().front();
    EXPECT_EQ(first.file, tree.source / "kernel/fork.c");
    EXPECT_EQ(first.line, 3);
    EXPECT_EQ(first.column, 16);
    EXPECT_EQ(first.severity, "error");
    EXPECT_THAT(first.message, HasSubstr("undeclared"));
    EXPECT_THAT(e.reason(), HasSubstr("kernel/fork.c:3: "));
    EXPECT_TRUE(holds(e.log(), "undeclared"));
    EXPECT_FALSE(told.empty());
  }
  expect_nothing_left();
  tree.write("kernel/fork.c", "const char *fork_text = \"fork-two\";\n");
  EXPECT_TRUE(holds(build().image, "fork-two"));
}

TEST_F(Failure, AnUndefinedSymbolIsADiagnostic) {
  tree.write("kernel/fork.c", "int nowhere(void);\nint f(void) { return nowhere(); }\n");
  try {
    build();
    FAIL() << "it was built";
  } catch (const BuildError& e) {
    ASSERT_FALSE(e.diagnostics().empty());
    EXPECT_EQ(e.diagnostics().front().file, tree.source / "kernel/fork.c");
    EXPECT_EQ(e.diagnostics().front().line, 2);
    EXPECT_THAT(e.diagnostics().front().message, HasSubstr("undefined reference to `nowhere'"));
  }
}

TEST_F(Failure, StoppedLeavesNothingAndTheNextBuildIsRight) {
  slow_compiler();
  std::stop_source stop;
  BuildOptions options;
  options.deadline = Deadline::never(stop.get_token());
  {
    const auto stopper = when_compiling([&] { stop.request_stop(); });
    EXPECT_THROW(build(FakeTree::conf(), options), Interrupted);
  }
  expect_nothing_left();
  // The same compiler, fast now: the cut-off object lies in the same output tree.
  fs::remove(tree.top / "compiling");
  tree.remove_program("gcc");
  const KernelArtifact kernel = build();
  EXPECT_TRUE(holds(kernel.image, "sched-one"));
}

// As after a power cut or kill -9: an object that is newer than anything, cut off, and nobody there to remove
// it.
TEST_F(Failure, ACutOffObjectIsNotTakenForGood) {
  const KernelArtifact first = build();
  tree.write("kernel/sched.c", "const char *sched_text = \"sched-two\";\n");
  build();
  Path obj;
  for (const auto& entry : fs::directory_iterator(tree.top / "ws/obj"))
    if (fs::exists(entry.path() / "kernel/sched.o")) obj = entry.path();
  ASSERT_FALSE(obj.empty());
  tree.write("kernel/sched.c", "const char *sched_text = \"sched-three\";\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  local_host()->write_file(obj / "kernel/sched.o", "cut off");
  local_host()->write_file(obj / "kernel/orphan.o", "cut off");
  local_host()->write_file(obj / ".kdev/running", "");
  EXPECT_TRUE(holds(build().image, "sched-three"));
  EXPECT_FALSE(fs::exists(obj / "kernel/orphan.o"));
}

TEST_F(Failure, ADeadlineEndsIt) {
  slow_compiler();
  BuildOptions options;
  options.deadline = Deadline::after(Seconds{3});
  EXPECT_THROW(build(FakeTree::conf(), options), TimeoutError);
  expect_nothing_left();
}

TEST_F(Failure, AnErrorInTheSinkEndsIt) {
  slow_compiler();
  BuildOptions options;
  options.on_event = [](const Event& e) {
    if (std::holds_alternative<Progress>(e)) throw std::runtime_error("from the sink");
  };
  EXPECT_THROW(build(FakeTree::conf(), options), std::runtime_error);
  expect_nothing_left();
}

// Its make, which knows nothing of the death, is ended before another works in the same output tree.
TEST_F(Failure, ABuilderKilledOutrightIsClearedUpAfter) {
  slow_compiler();
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      build();
    } catch (...) {
    }
    ::_exit(0);
  }
  while (!fs::exists(tree.top / "compiling")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(pid, SIGKILL);
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  tree.open();
  EXPECT_THAT(processes_in(tree.top), testing::IsEmpty());
  tree.remove_program("gcc");
  EXPECT_TRUE(holds(build().image, "sched-one"));
  expect_nothing_left();
  EXPECT_TRUE(fs::is_empty(tree.top / "ws/run"));
}

TEST_F(Failure, AStoppedConfigurationIsNotTakenForGood) {
  tree.write("scripts/conf.sh", "#!/bin/sh\ntouch " + (tree.top / "compiling").string() + "; sleep 600\n",
             true);
  std::stop_source stop;
  {
    const auto stopper = when_compiling([&] { stop.request_stop(); });
    EXPECT_THROW(FakeTree::conf().resolve(tree.open(), Deadline::never(stop.get_token())), Interrupted);
  }
  EXPECT_THAT(processes_in(tree.top), testing::IsEmpty());
  EXPECT_FALSE(fs::exists(tree.top / "ws/obj/.kdev/configure/.kdev-made-for"));
}

TEST_F(Failure, TwoProcessesBuildOnce) {
  tree.open();
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      try {
        const KernelArtifact kernel = build();
        ::_exit(holds(kernel.image, "main-one") ? 0 : 1);
      } catch (const std::exception& e) {
        fprintf(stderr, "child: %s\n", e.what());
        ::_exit(2);
      }
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(tree.kernel_makes(), 1);
  EXPECT_EQ(tree.open().stored().size(), 1u);
}

TEST_F(Failure, WaitingForAnotherBuildIsSaidAndEndsByTheDeadline) {
  slow_compiler();
  std::stop_source stop;
  std::string notices;
  {
    std::jthread other([&] {
      BuildOptions options;
      options.deadline = Deadline::never(stop.get_token());
      EXPECT_THROW(build(FakeTree::conf(), options), Interrupted);
    });
    while (!fs::exists(tree.top / "compiling")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    BuildOptions options;
    options.deadline = Deadline::after(Seconds{1});
    options.on_event = [&](const Event& e) {
      if (const auto* n = std::get_if<Notice>(&e)) notices += n->text;
    };
    EXPECT_THROW(build(FakeTree::conf().enable("EXTRA"), options), TimeoutError);
    stop.request_stop();
  }
  EXPECT_THAT(notices, HasSubstr("waiting for process"));
  expect_nothing_left();
}

TEST_F(Failure, ADiskThatIsFullIsTheHostsFault) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  build();  // configured: what fails is the build alone
  tree.write(
      "kernel/sched.c",
      "#define A \"0123456789abcdef0123456789abcdef\"\n#define B A A A A A A A A\n#define C B B B B B B B B\n"
      "const char sched_text[] = C C C C C C C C C C C C C C C C;\nconst char big[3000000] = {1};\n");
  const pid_t pid = ::fork();
  if (pid == 0) {
    // In a mount namespace of its own the workspace's output lies on a disk of 2 MB.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      ::_exit(77);
    const Path obj = tree.top / "ws/obj", copy = tree.top / "obj-copy";
    fs::copy(obj, copy, fs::copy_options::recursive);
    if (::mount("tmpfs", obj.c_str(), "tmpfs", 0, "size=2m") != 0) ::_exit(77);
    fs::remove_all(copy);
    setenv("CCACHE_DISABLE", "1", 1);
    int verdict = 1;
    try {
      build();
    } catch (const HostError& e) {
      verdict = std::string(e.what()).find("o space left") != std::string::npos ? 0 : 3;
      if (verdict) fprintf(stderr, "%s\n", e.what());
    } catch (const Error& e) {
      fprintf(stderr, "another error: %s\n", e.what());
      verdict = 4;
    }
    ::_exit(verdict);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespace to be had";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  expect_nothing_left();
  EXPECT_EQ(build().release, "6.99.1");
}

TEST_F(Failure, AStoreThatIsFullIsTheHostsFault) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  tree.write("kernel/sched.c", "const char big[3000000] = {1};\n");
  tree.open();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const Path artifacts = tree.top / "ws/artifacts";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", artifacts.c_str(), "tmpfs", 0, "size=1m") != 0)
      ::_exit(77);
    int verdict = 1;
    try {
      build();
    } catch (const HostError& e) {
      verdict = fs::is_empty(artifacts) ? 0 : 3;
    } catch (const Error& e) {
      fprintf(stderr, "another error: %s\n", e.what());
      verdict = 4;
    }
    ::_exit(verdict);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespace to be had";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  // What was built is kept: with room again only the storing is left to do.
  const KernelArtifact kernel = build();
  EXPECT_EQ(kernel.release, "6.99.1");
}

TEST_F(Failure, AMissingToolIsNamedWithItsPackage) {
  const std::string path = getenv("PATH");
  setenv("PATH", tree.bin.c_str(), 1);  // which() also looks in the sbin folders, where no compiler is
  const std::string message = message_of([&] { build(); });
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(message, HasSubstr("gcc is not there"));
  EXPECT_THAT(message, HasSubstr("apt-get install gcc"));
}

TEST_F(Failure, UnknownAndLostOptionsAreErrors) {
  EXPECT_THAT(message_of([&] { build(FakeTree::conf().enable("FANCIEST")); }),
              testing::AllOf(HasSubstr("FANCIEST=y (asked for by: user): the tree knows no such option"),
                             HasSubstr("FANCIER")));
  EXPECT_THAT(message_of([&] { build(FakeTree::conf().enable("FANCIER")); }),
              testing::AllOf(HasSubstr("FANCIER=y (asked for by: user): is n; because of FANCY=n"),
                             HasSubstr("depends on FANCY")));
  EXPECT_EQ(build(FakeTree::conf().enable("FANCIER").enable("FANCY")).release, "6.99.1");
}

TEST_F(Failure, ATargetThatMakesNoKernelIsAnError) {
  BuildOptions options;
  options.targets = {"modules"};
  EXPECT_THAT(message_of([&] { build(FakeTree::conf(), options); }), HasSubstr("left no vmlinux"));
  options.targets = {"no-such-target"};
  EXPECT_THAT(message_of([&] { build(FakeTree::conf(), options); }),
              HasSubstr("No rule to make target 'no-such-target'"));
}

// Each configuration has an output tree of its own; a Kconfig that is written to by every make must not send
// the build from one to the next for ever.
TEST_F(Failure, AConfigurationThatNeverSettlesIsAnError) {
  const std::string kconfig = (tree.source / "Kconfig").string(), count = (tree.top / "count").string();
  tree.add_program("gcc", "#!/bin/sh\ncase \" $* \" in *\" -E \"*) ;; *sched.c*) echo x >> " + count +
                              "; echo \"config NEW$(wc -l < " + count + ")\n\tdefault y\" >> " + kconfig +
                              ";; esac\nexec /usr/bin/gcc \"$@\"\n");
  tree.add_program("ccache", "#!/bin/sh\nexec \"$@\"\n");
  EXPECT_THAT(message_of([&] { build(); }), HasSubstr("the configuration changed during each of 3 builds"));
  EXPECT_EQ(tree.kernel_makes(), 3);
  expect_nothing_left();
}

// Its make, too, is ended before another works in the same folder.
TEST_F(Failure, AConfigurerKilledOutrightIsClearedUpAfter) {
  const std::string conf_sh = tree.read("scripts/conf.sh");
  tree.write("scripts/conf.sh", "#!/bin/sh\ntouch " + (tree.top / "compiling").string() + "; sleep 600\n",
             true);
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      FakeTree::conf().resolve(tree.open());
    } catch (...) {
    }
    ::_exit(0);
  }
  while (!fs::exists(tree.top / "compiling")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(pid, SIGKILL);
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status));
  tree.open();
  EXPECT_THAT(processes_in(tree.top), testing::IsEmpty());
  tree.write("scripts/conf.sh", conf_sh, true);
  EXPECT_EQ(build().release, "6.99.1");
  expect_nothing_left();
  EXPECT_TRUE(fs::is_empty(tree.top / "ws/run"));
}

// Errors of the file system come as kdev's own.
TEST_F(Failure, AFolderThatCannotBeReadIsTheHostsFault) {
  build();
  // Root may read everything, but nobody a path through too many links.
  const Path obj = tree.top / "ws/obj/loop";
  fs::create_symlink(obj, obj);
  EXPECT_THROW(KernConf::file(obj / "x"), HostError);
  EXPECT_THROW(FakeTree::conf().initramfs_source(obj), HostError);
  EXPECT_THROW(tree.open().build_module(obj, KernelArtifact{.source = tree.source}), HostError);
  tree.write("kernel/sched.c", "const char *sched_text = \"sched-two\";\n");
  EXPECT_THROW(build(FakeTree::conf().enable("EXTRA")), HostError);
}
