// The whole path as one declared pipeline: build a kernel, boot it, run commands, crash it, explain the crash.
//   first_pipeline [SOURCE_TREE [WORKSPACE]]
// Defaults: $KDEV_LINUX_SOURCE, $KDEV_WORKSPACE. Ends 0 when the crash came and was explained.
#include <kdev/kdev.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

std::string argument(int argc, char** argv, int index, const char* variable, const char* fallback) {
  if (index < argc) return argv[index];
  const char* value = std::getenv(variable);
  return value ? value : fallback;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string source = argument(argc, argv, 1, "KDEV_LINUX_SOURCE", "/usr/src/linux-source-6.1");
  const std::string root = argument(argc, argv, 2, "KDEV_WORKSPACE", "~/kdev-workspace");

  const kdev::Workspace ws(root, {.source = source, .host = nullptr});
  const auto conf = kdev::KernConf::tiny(ws).preset("debug");

  kdev::VmSpec machine;
  machine.memory = "512M";
  const auto pipeline = kdev::Pipeline("first crash")
                            .build(ws, conf)
                            .boot(kdev::SeedImage::busybox(), machine)
                            .run("uname -r; cat /proc/cmdline")
                            .run("echo c > /proc/sysrq-trigger")
                            .expect_crash("*sysrq*")
                            .analyze();

  // Events come on this thread, from inside run(); a console line is of no interest here.
  const kdev::PipelineResult result = pipeline.run([](const kdev::Event& event) {
    if (!std::holds_alternative<kdev::ConsoleLine>(event)) std::cout << kdev::describe(event) << "\n";
  });

  for (const auto& command : result.commands) std::cout << "$ " << command.command << "\n" << command.out;
  for (const auto& crash : result.crashes) std::cout << crash.to_text() << "\n";
  std::cout << result.to_text() << "\n";
  return result.ok ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const kdev::Error& error) {
  std::cerr << "error: " << error.what() << "\n";
  return EXIT_FAILURE;
}
