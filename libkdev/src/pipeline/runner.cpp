#include <fmt/format.h>
#include <fnmatch.h>

#include <kdev/error.hpp>

#include "common/overload.hpp"
#include "pipeline/stages.hpp"
#include "vm/symbol_sources.hpp"

namespace kdev::pipeline {
namespace {

[[noreturn]] void misplaced(const char* stage, const char* needs) {
  throw ConfigError({.attempted = fmt::format("run the pipeline's stage \"{}\"", stage),
                     .reason = fmt::format("there is no {} before it", needs),
                     .hint = "stages run in the order in which they were chained",
                     .log = {}});
}

}  // namespace

std::string name_of(const What& what) {
  static const char* const names[] = {"build", "kernel", "module", "boot",  "run",
                                      "push",  "pull",   "reboot", "crash", "analyze"};
  static_assert(std::size(names) == std::variant_size_v<What>);
  return names[what.index()];
}

std::string text_of(const What& what) {
  auto conf_text = [](const KernConf& conf) {
    std::string text = conf.base();
    for (const std::string& preset : conf.presets()) text += " + " + preset;
    return text;
  };
  return std::visit(Overload{
                        [&](const Build& s) { return conf_text(s.conf); },
                        [](const UseKernel& s) { return s.kernel.release; },
                        [](const BuildModule& s) { return s.dir.string(); },
                        [](const Boot& s) { return fmt::format("{}, {} CPUs", s.spec.memory, s.spec.cpus); },
                        [](const Run& s) { return s.command; },
                        [](const Push& s) { return s.source.string() + " -> " + s.guest_path; },
                        [](const Pull& s) { return s.guest_path + " -> " + s.destination.string(); },
                        [&](const Reboot& s) { return conf_text(s.conf); },
                        [](const ExpectCrash& s) { return "expect " + s.title; },
                        [](const Analyze&) { return std::string("symbolize"); },
                    },
                    what);
}

Runner::Runner(std::string name, EventSink on_event, std::stop_token stop)
    : on_event_(std::move(on_event)), stop_(std::move(stop)) {
  result_.name = std::move(name);
}

void Runner::emit(const Event& event) {
  if (!on_event_) return;
  try {
    on_event_(event);
  } catch (...) {
    sink_threw_ = std::current_exception();
    throw;
  }
}

EventSink Runner::nested() {
  if (!on_event_) return {};
  return [this](const Event& event) {
    const auto* started = std::get_if<StageStarted>(&event);
    const auto* finished = std::get_if<StageFinished>(&event);
    if ((started && started->stage == stage_) || (finished && finished->stage == stage_)) return;
    emit(event);
  };
}

void Runner::add_crash(const CrashReport& crash, const KernelArtifact& kernel) {
  result_.crashes.push_back(crash);
  origins_.push_back({kernel, vm_ ? vm_->spec().modules : modules_});
}

VM& Runner::vm(const char* stage) {
  if (!vm_) misplaced(stage, "boot");
  return *vm_;
}

PipelineResult Runner::run(const std::vector<const What*>& plan) {
  const auto began = Clock::now();
  bool failed = false;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    StageResult stage{.stage = name_of(*plan[i]),
                      .text = text_of(*plan[i]),
                      .outcome = "skipped",
                      .duration = {},
                      .error = ""};
    if (!failed) {
      stage_ = stage.stage;
      crash_expected_next_ = i + 1 < plan.size() && std::holds_alternative<ExpectCrash>(*plan[i + 1]);
      emit(StageStarted{stage.stage, stage.text});
      const auto stage_began = Clock::now();
      try {
        Deadline::never(stop_).check_interrupt("run pipeline " + result_.name);
        stage.outcome = std::visit([this](const auto& what) { return execute(what); }, *plan[i]);
      } catch (const Interrupted&) {
        emit(StageFinished{stage.stage, "interrupted", Clock::now() - stage_began, ""});
        if (vm_) vm_->close();
        throw;
      } catch (const std::exception& e) {
        // The sink's own error is the caller's, not the stage's.
        if (sink_threw_ && std::current_exception() == sink_threw_) throw;
        failed = true;
        stage.outcome = "failed";
        stage.error = e.what();
        if (const auto* boot = dynamic_cast<const BootError*>(&e); boot && boot->crash())
          add_crash(*boot->crash(), *result_.kernel);
      }
      stage.duration = Clock::now() - stage_began;
      emit(StageFinished{stage.stage, stage.outcome, stage.duration, stage.error});
    }
    result_.stages.push_back(std::move(stage));
  }
  if (vm_) {
    result_.console_log = vm_->console_log();
    vm_->close();
  }
  result_.ok = !failed;
  result_.duration = Clock::now() - began;
  return std::move(result_);
}

KernelArtifact Runner::build_kernel(const Path& workspace, const KernConf& conf) {
  workspace_ = workspace;
  BuildOptions options;
  options.deadline = Deadline::never(stop_);
  options.on_event = nested();
  return Workspace(workspace).build(conf, options);
}

std::string Runner::execute(const Build& stage) {
  result_.kernel = build_kernel(stage.workspace, stage.conf);
  return result_.kernel->from_store ? "cached" : "done";
}

std::string Runner::execute(const UseKernel& stage) {
  result_.kernel = stage.kernel;
  return "done";
}

std::string Runner::execute(const BuildModule& stage) {
  if (!result_.kernel) misplaced("module", "kernel");
  // A kernel that was handed in knows its workspace by where its artifact lies: WORKSPACE/artifacts/ID.
  const Path root = workspace_ ? *workspace_ : result_.kernel->dir.parent_path().parent_path();
  BuildOptions options;
  options.deadline = Deadline::never(stop_);
  options.on_event = nested();
  modules_.push_back(Workspace(root).build_module(stage.dir, *result_.kernel, options));
  return modules_.back().from_store ? "cached" : "done";
}

std::string Runner::execute(const Boot& stage) {
  if (!result_.kernel) misplaced("boot", "kernel");
  VmSpec spec = stage.spec;
  spec.kernel = *result_.kernel;
  spec.image = stage.image;
  spec.modules.insert(spec.modules.end(), modules_.begin(), modules_.end());
  spec.symbolize = false;  // that is analyze()
  vm_.reset();
  vm_.emplace(std::move(spec), nested());
  vm_->start(stop_);
  return "done";
}

std::string Runner::execute(const Run& stage) {
  CommandOptions options = stage.options;
  options.stop = stop_;
  CommandResult done = vm("run").run(stage.command, options);
  const bool timed_out = done.timed_out;
  const auto crash = done.crash;
  result_.commands.push_back(std::move(done));
  if (crash) add_crash(*crash, *result_.kernel);
  if (!crash_expected_next_) {
    if (crash)
      throw GuestError({.attempted = "run \"" + stage.command + "\"",
                        .reason = "the kernel crashed: " + crash->title,
                        .hint = "chain expect_crash() if it is meant to",
                        .log = vm_->console_log()});
    if (timed_out)
      throw GuestError({.attempted = "run \"" + stage.command + "\"",
                        .reason = "it did not end within its time",
                        .hint = "CommandOptions::timeout sets the limit",
                        .log = vm_->console_log()});
  }
  return "done";
}

std::string Runner::execute(const Push& stage) {
  vm("push").push(stage.source, stage.guest_path, stop_);
  return "done";
}

std::string Runner::execute(const Pull& stage) {
  vm("pull").pull(stage.guest_path, stage.destination, stop_);
  return "done";
}

std::string Runner::execute(const Reboot& stage) {
  VM& machine = vm("reboot");
  const KernelArtifact kernel = build_kernel(stage.workspace, stage.conf);
  machine.install(kernel, {}, stop_);
  const RebootResult result = machine.reboot({.stop = stop_});
  if (result.fell_back) {
    if (result.crash) add_crash(*result.crash, kernel);
    throw GuestError({.attempted = "reboot into " + kernel.release,
                      .reason = "it did not come up: " + result.reason,
                      .hint = "the known good kernel runs again",
                      .log = machine.console_log()});
  }
  result_.kernel = kernel;
  return "done";
}

std::string Runner::execute(const ExpectCrash& stage) {
  VM& machine = vm("expect_crash");
  const std::string attempted = fmt::format("expect a crash \"{}\"", stage.title);
  if (result_.commands.empty() || !result_.commands.back().crash) {
    const auto crash = machine.wait_crash(stage.timeout, stop_);
    if (!crash)
      throw GuestError({.attempted = attempted,
                        .reason = fmt::format("no crash within {:.0f} s", stage.timeout.count()),
                        .hint = "",
                        .log = machine.console_log()});
    add_crash(*crash, *result_.kernel);
  }
  const CrashReport& seen = result_.crashes.back();
  auto matches = [&](const std::string& title) {
    return ::fnmatch(stage.title.c_str(), title.c_str(), 0) == 0;
  };
  bool found = matches(seen.title);
  for (const std::string& other : seen.alternative_titles) found = found || matches(other);
  if (!found)
    throw GuestError({.attempted = attempted,
                      .reason = fmt::format("the crash was \"{}\"", seen.title),
                      .hint = "",
                      .log = machine.console_log()});
  return "done";
}

std::string Runner::execute(const Analyze&) {
  if (!result_.kernel) misplaced("analyze", "kernel");
  // Reports of one boot come one after the other: a symbolizer serves as many as it can.
  std::optional<Symbolizer> symbolizer;
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    if (i == 0 || origins_[i] != origins_[i - 1])
      symbolizer.emplace(vm::symbol_sources(origins_[i].kernel, origins_[i].modules));
    symbolizer->symbolize(result_.crashes[i]);
  }
  return "done";
}

}  // namespace kdev::pipeline
