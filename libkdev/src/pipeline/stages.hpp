#pragma once
// The stages a pipeline is made of, as values, and what runs them.
#include <exception>
#include <kdev/pipeline.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kdev {
namespace pipeline {

struct Build {
  Path workspace;
  KernConf conf;
};
struct UseKernel {
  KernelArtifact kernel;
};
struct BuildModule {
  Path dir;
};
struct Boot {
  SeedImage image;
  VmSpec spec;
};
struct Run {
  std::string command;
  CommandOptions options;
};
struct Push {
  Path source;
  std::string guest_path;
};
struct Pull {
  std::string guest_path;
  Path destination;
};
struct Reboot {
  Path workspace;
  KernConf conf;
};
struct ExpectCrash {
  std::string title;
  Seconds timeout;
};
struct Analyze {};

using What = std::variant<Build, UseKernel, BuildModule, Boot, Run, Push, Pull, Reboot, ExpectCrash, Analyze>;

std::string name_of(const What& what);
std::string text_of(const What& what);

/// Runs stages one after the other; holds what they hand on. Used once.
class Runner {
 public:
  Runner(std::string name, EventSink on_event, std::stop_token stop);
  PipelineResult run(const std::vector<const What*>& plan);

 private:
  // Each returns the outcome, "done" or "cached", and throws for a failure.
  std::string execute(const Build& stage);
  std::string execute(const UseKernel& stage);
  std::string execute(const BuildModule& stage);
  std::string execute(const Boot& stage);
  std::string execute(const Run& stage);
  std::string execute(const Push& stage);
  std::string execute(const Pull& stage);
  std::string execute(const Reboot& stage);
  std::string execute(const ExpectCrash& stage);
  std::string execute(const Analyze& stage);
  KernelArtifact build_kernel(const Path& workspace, const KernConf& conf);
  VM& vm(const char* stage);
  void add_crash(const CrashReport& crash, const KernelArtifact& kernel);
  void emit(const Event& event);
  /// For the handles that stages use: without the events by which they tell of the very stage that runs.
  EventSink nested();

  EventSink on_event_;
  std::exception_ptr sink_threw_;
  std::stop_token stop_;
  PipelineResult result_;
  std::optional<Path> workspace_;
  std::vector<ModuleArtifact> modules_;
  std::optional<VM> vm_;
  struct Origin {
    KernelArtifact kernel;
    std::vector<ModuleArtifact> modules;
    bool operator==(const Origin&) const = default;
  };
  std::vector<Origin> origins_;  // of result_.crashes, one for one: a later stage may bring another kernel
  std::string stage_;
  bool crash_expected_next_ = false;
};

}  // namespace pipeline

struct Pipeline::Stage {
  pipeline::What what;
};

}  // namespace kdev
