// Out-of-tree modules: built in a copy of the user's folder, against what the store keeps of the
// kernel's build.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <kdev/error.hpp>

#include "build/build_context.hpp"
#include "build/build_id.hpp"
#include "build/diagnostics.hpp"
#include "build/kernel_record.hpp"
#include "build/progress.hpp"
#include "build/stage.hpp"
#include "build/store.hpp"
#include "common/digest.hpp"
#include "workspace/lock.hpp"

namespace kdev {
namespace {

class ModuleBuild {
 public:
  ModuleBuild(const Workspace& ws, const Path& dir, const KernelArtifact& kernel, const BuildOptions& options)
      : ws_(ws),
        dir_(ws.host().absolute(dir)),
        kernel_(kernel),
        options_(options),
        context_(ws.host(), ws.root(),
                 {.os = kernel.os, .path = kernel.source, .version = ws.tree().version}) {
    if (dir_.filename() == ".") dir_ = dir_.parent_path();
  }

  ModuleArtifact run() {
    Stage stage("module", fmt::format("{} for {}", dir_.string(), kernel_.release), options_.on_event);
    return stage.during([&] { return run(stage); });
  }

 private:
  ModuleArtifact run(Stage& stage) {
    check_input();
    const KernelRecord record = read_kernel_record(ws_.host(), kernel_.obj);
    check_headers(record);
    const guest::Values config = context_.conf_rules().parse(ws_.host().read_file(kernel_.config));
    if (const std::string why = context_.build_rules().no_modules(config); !why.empty())
      throw refused("the kernel takes no modules: " + why, "build it with modules enabled");
    const Toolchain toolchain = context_.toolchain(config, record.make_variables);
    if (toolchain.id != record.toolchain_id)
      send(Notice{"the compiler or a tool changed since the kernel was built: the module may not fit it"});

    // Found by content alone, but for the folder's name, which is in the debug information.
    const TreeState state = TreeState::scan(
        ws_.host(), dir_, {},
        [this](std::string_view path) { return context_.build_rules().module_product(path); },
        options_.deadline);
    const std::string id = Digest()
                               .add("module 2")
                               .add(kernel_.id)
                               .add(toolchain.id)
                               .add(dir_.string())
                               .add(state.digest())
                               .hex()
                               .substr(0, 32);
    if (auto stored = from_store(id)) {
      stage.done("cached", stored->ko.string());
      return *stored;
    }
    const FileLock lock =
        FileLock::acquire(ws_.host(), ws_.obj() / "modules.lock", "build module " + dir_.string(),
                          options_.deadline, [&](const LockHolder& holder) {
                            send(Notice{fmt::format("waiting for process {} ({})", holder.pid, holder.what)});
                          });
    if (auto stored = from_store(id)) {
      stage.done("cached", stored->ko.string());
      return *stored;
    }
    const ModuleArtifact artifact = make(id, record, toolchain);
    stage.done("done", artifact.ko.string());
    return artifact;
  }

  void send(const Event& event) const {
    if (options_.on_event) options_.on_event(event);
  }

  ConfigError refused(std::string reason, std::string hint) const {
    return ConfigError({.attempted = "build the module in " + dir_.string(),
                        .reason = std::move(reason),
                        .hint = std::move(hint),
                        .log = {}});
  }

  void check_input() const {
    if (!ws_.host().is_directory(dir_))
      throw refused("it is no folder", "Workspace::scaffold writes an example");
    if (const auto refusal = context_.build_rules().no_module_in(ws_.host(), dir_))
      throw refused(refusal->reason, refusal->hint);
    if (kernel_.obj.empty() || !ws_.host().exists(kernel_.obj / kernel_record_file))
      throw refused(fmt::format("the kernel's output tree {} is not there", kernel_.obj.string()),
                    "build the kernel in this workspace first");
  }

  void check_headers(const KernelRecord& record) {
    context_.scan(options_.deadline);
    const guest::BuildRules& rules = context_.build_rules();
    const std::string now =
        context_.tree().digest([&](std::string_view path) { return rules.matters_to_modules(path); });
    if (now != record.headers)
      throw refused(fmt::format("headers or makefiles of {} changed since kernel {} was built: a module made "
                                "with them would not fit it",
                                kernel_.source.string(), kernel_.id.substr(0, 8)),
                    "build the kernel again and use that one");
  }

  std::optional<ModuleArtifact> from_store(const std::string& id) const {
    const auto json = stored_artifact(ws_.host(), ws_.artifacts(), id);
    if (!json) return std::nullopt;
    ModuleArtifact artifact = ModuleArtifact::from_json(*json);
    artifact.from_store = true;
    return artifact;
  }

  /// The user's folder stays free of products.
  Path copy_sources() const {
    const Path stage = ws_.obj() / "modules" / sha256(dir_.string()).substr(0, 16);
    ws_.host().remove_all(stage);
    ws_.host().make_directories(stage);
    copy_into(dir_, stage, "");
    return stage;
  }
  void copy_into(const Path& from, const Path& to, const std::string& relative) const {
    Host& host = ws_.host();
    for (const DirectoryEntry& entry : host.entries(from)) {
      const std::string path = relative.empty() ? entry.name : relative + "/" + entry.name;
      if (context_.build_rules().module_product(path)) continue;
      // Links are followed: relative ones would lead astray.
      const Path source = from / entry.name, copy = to / entry.name;
      const FileStatus status = host.status(source);
      if (status.is_directory()) {
        host.make_directories(copy);
        copy_into(source, copy, path);
      } else if (status.is_file()) {
        host.copy_file(source, copy);
      }
    }
  }

  ModuleArtifact make(const std::string& id, const KernelRecord& record, const Toolchain& toolchain) {
    Host& host = ws_.host();
    const guest::BuildRules& rules = context_.build_rules();
    const Path stage = copy_sources();
    const Path log = ws_.obj() / "modules" / (stage.filename().string() + ".log");
    const std::string staged = stage.string(), own = dir_.string();
    const auto in_own_words = [&](std::string_view line) {
      std::string text(line);
      for (std::size_t at = 0; (at = text.find(staged, at)) != text.npos; at += own.size())
        text.replace(at, staged.size(), own);
      return text;
    };

    DiagnosticReader diagnostics(host, &rules, dir_, kernel_.obj);
    BuildProgress progress("module", 0, options_.on_event);
    std::string transcript;
    const auto line_of = [&](std::string_view raw) {
      const std::string line = in_own_words(raw);
      transcript += line + "\n";
      if (const std::string_view object = rules.made_object(line); !object.empty())
        progress.made(object);
      else if (const Diagnostic* d = diagnostics.line(line))
        send(DiagnosticFound{*d});
    };
    RunOptions run;
    run.deadline = options_.deadline;
    run.capture_limit = 1 << 16;
    run.on_out_line = line_of;
    run.on_err_line = line_of;
    const guest::MakeRequest request{.source = kernel_.source,
                                     .obj = kernel_.obj,
                                     .targets = {},
                                     .jobs = options_.jobs > 0 ? options_.jobs : host.cpu_count(),
                                     .variables = record.make_variables,
                                     .ccache = host.which("ccache").value_or(Path()),
                                     .toolchain_id = toolchain.id,
                                     .root = ws_.root(),
                                     .digest = {}};
    run.lease_dir = ws_.run();
    run.lease_name = "module-" + stage.filename().string();
    const ProcessResult result = host.run(rules.make_module(host, request, stage, dir_), run);
    host.write_file(log, transcript);
    if (!result.ok()) throw_build_failure("build the module in " + own, result, diagnostics, log);

    const std::vector<Path> made = rules.made_modules(host, stage);
    if (made.empty())
      throw BuildError({.attempted = "build the module in " + own,
                        .reason = "make ended well but made no module",
                        .hint = "its makefile must name one: Workspace::scaffold writes an example",
                        .log = log},
                       diagnostics.sorted());
    if (made.size() > 1)
      send(Notice{fmt::format("{} modules were made; the first is {}", made.size(),
                              made.front().filename().string())});
    StagedArtifact artifact(host, ws_.artifacts(), id);
    for (const Path& ko : made) artifact.add(ko, ko.filename());
    ModuleArtifact module;
    module.name = rules.module_name(made.front());
    module.ko = artifact.destination() / made.front().filename();
    module.source = dir_;
    module.kernel_id = kernel_.id;
    module.build_id = build_id_of(host, made.front());
    host.write_file(artifact.dir() / "artifact.json",
                    artifact_record(host, module.to_json(), "module",
                                    fmt::format("{} for {}", module.name, kernel_.release), artifact.dir()));
    artifact.publish();
    host.remove_all(stage);
    return module;
  }

  const Workspace& ws_;
  Path dir_;
  const KernelArtifact& kernel_;
  const BuildOptions& options_;
  BuildContext context_;
};

}  // namespace

ModuleArtifact Workspace::build_module(const Path& dir, const KernelArtifact& kernel,
                                       const BuildOptions& options) const {
  return ModuleBuild(*this, dir, kernel, options).run();
}

}  // namespace kdev
