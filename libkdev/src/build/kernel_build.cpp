#include "build/kernel_build.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>

#include "build/build_id.hpp"
#include "build/diagnostics.hpp"
#include "build/kernel_record.hpp"
#include "build/object_counts.hpp"
#include "build/outside.hpp"
#include "build/progress.hpp"
#include "build/stage.hpp"
#include "build/step_run.hpp"
#include "build/store.hpp"
#include "common/digest.hpp"
#include "common/json.hpp"
#include "workspace/lock.hpp"

namespace kdev {

namespace {

/// Tools that read compile_commands.json look for a compiler in the first word.
void without_ccache(Host& host, const Path& file) {
  const std::string text = host.read_file(file);
  std::string out;
  constexpr std::string_view mark = "\"command\": \"";
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos;) {
    at += mark.size();
    const std::size_t end = text.find(' ', at);
    const std::string_view program = std::string_view(text).substr(at, end == text.npos ? end : end - at);
    if (end == text.npos || (program != "ccache" && !program.ends_with("/ccache"))) continue;
    out.append(text, copied, at - copied);
    copied = end + 1;
  }
  host.write_file(file, out + text.substr(copied));
}

}  // namespace

KernelBuild::KernelBuild(const Workspace& ws, const KernConf& conf, const BuildOptions& options)
    : ws_(ws), conf_(conf), options_(options), context_(ws.host(), ws.root(), ws.tree()) {}

void KernelBuild::send(const Event& event) const {
  if (options_.on_event) options_.on_event(event);
}

std::string KernelBuild::title() const {
  std::string presets;
  for (const std::string& preset : conf_.presets()) presets += "+" + preset;
  return fmt::format("{} {} {}{}", to_string(ws_.tree().os), ws_.tree().version, conf_.base(), presets);
}

KernelBuild::Plan KernelBuild::configure() {
  Stage stage("configure", title(), options_.on_event);
  return stage.during([&] { return configure(stage); });
}

KernelBuild::Plan KernelBuild::configure(Stage& stage) {
  context_.scan(options_.deadline);
  Plan plan;
  bool remembered = false;
  plan.resolved = context_.resolve(conf_, options_.deadline, &remembered);
  if (!plan.resolved.lost.empty()) throw lost_options_error(ws_.tree(), plan.resolved.lost);
  const guest::BuildRules& rules = context_.build_rules();
  const guest::Values& config = plan.resolved.values;
  plan.toolchain = context_.toolchain(config, conf_.make_variables());
  plan.outside = outside_of(config);
  plan.targets = options_.targets.empty() ? rules.default_targets(config) : options_.targets;

  Digest obj;
  obj.add("output tree 1")
      .add(ws_.source().string())
      .add(plan.resolved.text)
      .add(plan.toolchain.id)
      .add(json::dump(json::from_map(conf_.make_variables())));
  if (const std::string flags = rules.flags(ws_.host(), ws_.root()); !flags.empty()) obj.add(flags);
  plan.obj_id = obj.hex().substr(0, 16);
  std::vector<std::string> targets = plan.targets;
  std::sort(targets.begin(), targets.end());
  Digest artifact;
  artifact.add("kernel 2").add(plan.obj_id).add(context_.tree().digest()).add(plan.outside);
  artifact.add(rules.revision(ws_.host(), config, ws_.source()));
  for (const std::string& target : targets) artifact.add(target);
  plan.artifact_id = artifact.hex().substr(0, 32);
  stage.done(remembered ? "cached" : "done", fmt::format("{} options set", config.size()));
  return plan;
}

std::optional<KernelArtifact> KernelBuild::from_store(const std::string& id) {
  const std::optional<std::string> json = stored_artifact(ws_.host(), ws_.artifacts(), id);
  if (!json) return std::nullopt;
  KernelArtifact artifact = KernelArtifact::from_json(*json);
  artifact.from_store = true;
  Stage("build", title(), options_.on_event).done("cached", artifact.dir.string());
  return artifact;
}

KernelArtifact KernelBuild::run() {
  Plan plan = configure();
  if (auto artifact = from_store(plan.artifact_id)) return *artifact;
  bool waited = false;
  const FileLock lock = FileLock::acquire(
      ws_.host(), build_lock_file(ws_.root()), "build " + title(), options_.deadline,
      [&](const LockHolder& holder) {
        waited = true;
        send(Notice{fmt::format("waiting for process {}, which holds the workspace ({}) since {}", holder.pid,
                                holder.what, holder.since)});
      });
  if (waited) plan = configure();  // the tree may have moved on
  if (auto artifact = from_store(plan.artifact_id)) return *artifact;
  remove_unpublished(ws_.host(), ws_.artifacts());
  return make(std::move(plan));
}

std::vector<std::string> KernelBuild::commands() {
  const Plan plan = configure();
  Host& host = ws_.host();
  const guest::BuildRules& rules = context_.build_rules();
  const ObjTree obj(host, rules, tree_of(plan), ws_.source());
  std::vector<std::string> lines;
  for (const guest::MakeStep& step : rules.make(host, request(plan, obj)))
    lines.push_back(describe(step.command));
  if (const auto install = rules.install_modules(host, request(plan, obj), ws_.sysroot()))
    lines.push_back(describe(*install));
  return lines;
}

guest::MakeRequest KernelBuild::request(const Plan& plan, const ObjTree& obj) const {
  // ccache's direct mode looks at the headers that were read before; it does not see one that now comes
  // before them.
  const std::string headers =
      context_.tree().name_digest([](std::string_view path) { return path.ends_with(".h"); });
  return {.source = ws_.source(),
          .obj = obj.dir(),
          .targets = plan.targets,
          .jobs = options_.jobs > 0 ? options_.jobs : ws_.host().cpu_count(),
          .variables = conf_.make_variables(),
          .ccache = ws_.host().which("ccache").value_or(Path()),
          .toolchain_id = plan.toolchain.id + headers.substr(0, 16),
          .root = ws_.root(),
          .digest = [this](const std::function<bool(std::string_view)>& accept) {
            return context_.tree().digest(accept);
          }};
}

KernelArtifact KernelBuild::make(Plan plan) {
  {
    const ObjTree obj(ws_.host(), context_.build_rules(), tree_of(plan), ws_.source());
    StepRun(ws_, context_.build_rules(), options_)
        .run_shared(context_.build_rules().make(ws_.host(), request(plan, obj)), title());
    context_.check(conf_, plan.resolved, options_.deadline);
  }
  Stage stage("build", title(), options_.on_event);
  return stage.during([&] {
    // Each configuration has an output tree of its own: one that changed meanwhile goes on in another.
    constexpr int most_configurations = 3;
    for (int i = 1;; ++i) {
      ObjTree obj(ws_.host(), context_.build_rules(), tree_of(plan), ws_.source());
      if (obj.fresh()) trim_obj_trees(obj.dir().parent_path());
      if (std::optional<Plan> moved_on = make_until_settled(plan, obj)) plan = std::move(*moved_on);
      if (tree_of(plan) == obj.dir()) {
        KernelArtifact artifact = publish(plan, obj);
        stage.done("done", fmt::format("{} in {}", artifact.release, artifact.dir.string()));
        return artifact;
      }
      if (i == most_configurations)
        throw BuildError(
            {.attempted = "build " + title(),
             .reason = fmt::format("the configuration changed during each of {} builds in a row", i),
             .hint = "build when nothing writes to " + ws_.source().string(),
             .log = obj.log()},
            {});
    }
  });
}

Path KernelBuild::tree_of(const Plan& plan) const {
  return context_.build_rules().output_tree(ws_.obj(), ws_.source(), conf_.make_variables(), plan.obj_id);
}

void KernelBuild::trim_obj_trees(const Path& folder) const {
  // They are half a gigabyte each, and made again from the sources: the ones longest unused go.
  constexpr std::size_t most_kept = 8;
  std::vector<std::pair<std::int64_t, Path>> trees;
  Host& host = ws_.host();
  if (!host.is_directory(folder)) return;
  for (const Path& tree : host.list(folder))
    if (const FileStatus note = host.status(tree / ".kdev/tree"); note.exists())
      trees.emplace_back(note.mtime_ns, tree);
  std::sort(trees.begin(), trees.end());
  for (std::size_t i = 0; i + most_kept <= trees.size(); ++i) {
    send(Notice{fmt::format("removing the output tree {}, unused for longest", trees[i].second.string())});
    host.remove_all(trees[i].second);
  }
}

std::optional<KernelBuild::Plan> KernelBuild::make_until_settled(const Plan& first, ObjTree& obj) {
  Host& host = ws_.host();
  const guest::BuildRules& rules = context_.build_rules();
  const ObjectCounts counts(host, context_.memory() / "objects");
  std::optional<Plan> moved_on;
  // A tree that is edited while make runs may have gone into the objects half old, half new: make is run
  // again until it has seen the tree stand still.
  constexpr int most_runs = 3;
  for (int i = 1;; ++i) {
    const Plan& plan = moved_on ? *moved_on : first;
    const bool fresh = obj.fresh();
    host.make_directories(obj.dir());
    const std::size_t stale = obj.prepare(context_.tree());
    obj.outside_inputs(plan.outside);
    const Path config = obj.dir() / rules.products(obj.dir()).config;
    host.make_directories(config.parent_path());
    if (!host.exists(config) || host.read_file(config) != plan.resolved.text)
      host.write_file(config, plan.resolved.text);
    const long all = counts.expected(plan.obj_id, rules.estimate_objects(plan.resolved.values));
    const bool whole = host.exists(obj.dir() / rules.products(obj.dir()).vmlinux);
    run_make(plan, obj, fresh, whole ? static_cast<long>(stale) : all - static_cast<long>(obj.objects()));

    const TreeState before = context_.tree();
    const bool still = context_.scan(options_.deadline).untouched_since(before) &&
                       plan.outside == outside_of(plan.resolved.values);
    if (still) return moved_on;
    send(Notice{"the source tree changed while it was built: building again"});
    if (i == most_runs)
      throw BuildError(
          {.attempted = "build " + title(),
           .reason = fmt::format("the source tree changed during each of {} builds in a row", most_runs),
           .hint = "build when nothing writes to " + ws_.source().string(),
           .log = obj.log()},
          {});
    moved_on = configure();
    context_.check(conf_, moved_on->resolved, options_.deadline);
    if (tree_of(*moved_on) != obj.dir()) return moved_on;  // the change was one to the configuration
  }
}

std::string KernelBuild::outside_of(const guest::Values& config) {
  return outside_digest(ws_.host(), context_.build_rules().outside_inputs(ws_.host(), config, ws_.source()),
                        context_.hashes(), options_.deadline);
}

void KernelBuild::run_make(const Plan& plan, ObjTree& obj, bool fresh, long expected) {
  Host& host = ws_.host();
  const guest::BuildRules& rules = context_.build_rules();
  DiagnosticReader diagnostics(host, &rules, ws_.source(), obj.dir());
  BuildProgress progress("build", std::max(expected, 0L), options_.on_event);
  host.remove_all(obj.log());
  const StepRun steps(ws_, rules, options_);
  obj.begin();
  for (const guest::MakeStep& step : rules.make(host, request(plan, obj))) {
    if (step.once) continue;
    const ProcessResult result = steps.run(step, obj.log(), diagnostics, progress);
    if (result.ok()) continue;
    obj.end();
    throw_build_failure("build " + title(), result, diagnostics, obj.log());
  }
  obj.end();
  progress.finish();
  if (fresh)
    ObjectCounts(host, context_.memory() / "objects")
        .learn(plan.obj_id, progress.done(), rules.estimate_objects(plan.resolved.values));
}

KernelArtifact KernelBuild::publish(const Plan& plan, const ObjTree& obj) {
  Host& host = ws_.host();
  const guest::BuildRules& rules = context_.build_rules();
  const guest::Products products = rules.products(obj.dir());
  const Path vmlinux = obj.dir() / products.vmlinux;
  if (!host.exists(vmlinux))
    throw BuildError({.attempted = "build " + title(),
                      .reason = fmt::format("make {} ended well but left no {}", fmt::join(plan.targets, " "),
                                            products.vmlinux.string()),
                      .hint = "the targets must make a kernel; without any, the default ones do",
                      .log = obj.log()},
                     {});
  StagedArtifact staged(host, ws_.artifacts(), plan.artifact_id);
  const Path dir = staged.destination();
  KernelArtifact artifact;
  artifact.id = plan.artifact_id;
  artifact.os = ws_.tree().os;
  artifact.arch = rules.arch(plan.resolved.values);
  artifact.release = rules.release(host, obj.dir());
  artifact.build_id = build_id_of(host, vmlinux);
  artifact.dir = dir;
  artifact.source = ws_.source();

  staged.add(vmlinux, "vmlinux");
  artifact.vmlinux = dir / "vmlinux";
  staged.add(obj.dir() / products.config, "config");
  artifact.config = dir / "config";
  if (!products.system_map.empty() && host.exists(obj.dir() / products.system_map)) {
    staged.add(obj.dir() / products.system_map, products.system_map.filename());
    artifact.system_map = dir / products.system_map.filename();
  }
  host.check("strip the kernel", rules.make_image(vmlinux, staged.dir() / "image", conf_.make_variables()));
  artifact.image = dir / "image";
  // An old bzImage of a former build lies there too: only what was asked for is this build's.
  const Path bzimage = obj.dir() / products.bzimage;
  if (rules.make_bzimage(plan.targets) && host.exists(bzimage)) {
    staged.add(bzimage, bzimage.filename());
    artifact.bzimage = dir / bzimage.filename();
  }
  const guest::MakeRequest make = request(plan, obj);
  if (const auto install = rules.install_modules(host, make, staged.dir() / "modules")) {
    RunOptions options;
    options.deadline = options_.deadline;
    host.check("install the modules", *install, options);
    if (rules.finish_modules(host, staged.dir() / "modules", artifact.release, dir / "obj", ws_.source()))
      artifact.modules = dir / "modules";
  }
  for (const Path& need : rules.module_needs(host, obj.dir())) {
    if (host.is_directory(obj.dir() / need))
      staged.add_tree(obj.dir() / need, Path("obj") / need);
    else
      staged.add(obj.dir() / need, Path("obj") / need);
  }
  host.make_directories(staged.dir() / "obj");
  const KernelRecord record{.headers = context_.tree().digest(
                                [&](std::string_view path) { return rules.matters_to_modules(path); }),
                            .toolchain_id = plan.toolchain.id,
                            .make_variables = conf_.make_variables()};
  host.write_file(staged.dir() / "obj" / kernel_record_file, kernel_record_text(record));
  artifact.obj = dir / "obj";
  if (const auto command =
          rules.compile_commands(host, ws_.source(), obj.dir(), staged.dir() / "compile_commands.json")) {
    const ProcessResult result = host.run(*command, {.deadline = options_.deadline});
    if (result.ok())
      without_ccache(host, staged.dir() / "compile_commands.json");
    else
      send(Notice{"compile_commands.json could not be made: " + result.err});
  }
  host.write_file(staged.dir() / "artifact.json",
                  artifact_record(host, artifact.to_json(), "kernel", title(), staged.dir()));
  staged.publish();
  return artifact;
}

std::vector<std::string> Workspace::build_commands(const KernConf& conf, const BuildOptions& options) const {
  return KernelBuild(*this, conf, options).commands();
}

KernelArtifact Workspace::build(const KernConf& conf, const BuildOptions& options) const {
  return KernelBuild(*this, conf, options).run();
}

}  // namespace kdev
