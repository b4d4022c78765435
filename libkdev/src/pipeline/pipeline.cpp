#include <kdev/pipeline.hpp>

#include <fmt/format.h>

#include "pipeline/stages.hpp"

namespace kdev {

Pipeline::Pipeline(std::string name) : name_(std::move(name)) {}

Pipeline Pipeline::with(std::shared_ptr<const Stage> stage) const {
  Pipeline copy = *this;
  copy.stages_.push_back(std::move(stage));
  return copy;
}


Pipeline Pipeline::build(const Workspace& ws, const KernConf& conf) const {
  return with(std::make_shared<Stage>(Stage{pipeline::Build{ws.root(), conf}}));
}
Pipeline Pipeline::kernel(const KernelArtifact& kernel) const { return with(std::make_shared<Stage>(Stage{pipeline::UseKernel{kernel}})); }
Pipeline Pipeline::module(const Path& dir) const { return with(std::make_shared<Stage>(Stage{pipeline::BuildModule{dir}})); }
Pipeline Pipeline::boot(const SeedImage& image, const VmSpec& spec) const {
  return with(std::make_shared<Stage>(Stage{pipeline::Boot{image, spec}}));
}
Pipeline Pipeline::run(const std::string& command, const CommandOptions& options) const {
  return with(std::make_shared<Stage>(Stage{pipeline::Run{command, options}}));
}
Pipeline Pipeline::push(const Path& source, const std::string& guest_path) const {
  return with(std::make_shared<Stage>(Stage{pipeline::Push{source, guest_path}}));
}
Pipeline Pipeline::pull(const std::string& guest_path, const Path& destination) const {
  return with(std::make_shared<Stage>(Stage{pipeline::Pull{guest_path, destination}}));
}
Pipeline Pipeline::reboot(const Workspace& ws, const KernConf& conf) const {
  return with(std::make_shared<Stage>(Stage{pipeline::Reboot{ws.root(), conf}}));
}
Pipeline Pipeline::expect_crash(const std::string& title, Seconds timeout) const {
  return with(std::make_shared<Stage>(Stage{pipeline::ExpectCrash{title, timeout}}));
}
Pipeline Pipeline::analyze() const { return with(std::make_shared<Stage>(Stage{pipeline::Analyze{}})); }

std::vector<std::string> Pipeline::stage_names() const {
  std::vector<std::string> names;
  for (const auto& stage : stages_) names.push_back(pipeline::name_of(stage->what));
  return names;
}

PipelineResult Pipeline::run(EventSink on_event, std::stop_token stop) const {
  std::vector<const pipeline::What*> plan;
  for (const auto& stage : stages_) plan.push_back(&stage->what);
  return pipeline::Runner(name_, std::move(on_event), std::move(stop)).run(plan);
}

}  // namespace kdev
