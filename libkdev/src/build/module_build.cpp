// Out-of-tree modules: Kbuild with M=, in a copy of the user's folder, against what the store keeps of the
// kernel's build.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <sstream>

#include "build/build_context.hpp"
#include "build/diagnostics.hpp"
#include "build/kernel_record.hpp"
#include "build/progress.hpp"
#include "build/stage.hpp"
#include "build/store.hpp"
#include "common/digest.hpp"
#include "common/elf_file.hpp"
#include "host/hostfs.hpp"
#include "host/leased_run.hpp"
#include "workspace/lock.hpp"

namespace kdev {
namespace {

/// What an earlier build left in the folder, and what is never an input.
bool is_product(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const char* end : {".o", ".ko", ".mod", ".mod.c", ".cmd", ".order", ".symvers", ".o.d", ".a", ".dwo"})
    if (name.ends_with(end)) return true;
  return name == ".tmp_versions" || name == ".git" || name.ends_with('~') || name.ends_with(".swp");
}

class ModuleBuild {
 public:
  ModuleBuild(const Workspace& ws, const Path& dir, const KernelArtifact& kernel, const BuildOptions& options)
      : ws_(ws),
        dir_(hostfs::absolute(dir).lexically_normal()),
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
    const TreeState state = TreeState::scan(dir_, {}, is_product, options_.deadline);
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
        FileLock::acquire(ws_.obj() / "modules.lock", "build module " + dir_.string(), options_.deadline,
                          [&](const LockHolder& holder) {
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
    if (!hostfs::is_directory(dir_))
      throw refused("it is no folder", "Workspace::scaffold writes an example");
    bool makefile = false, names_modules = false;
    for (const char* name : {"Kbuild", "Makefile"}) {
      const Path file = dir_ / name;
      if (!hostfs::is_file(file)) continue;
      makefile = true;
      names_modules |= ws_.host().read_file(file).find("obj-m") != std::string::npos;
    }
    if (!makefile)
      throw refused("there is no Makefile or Kbuild file in it",
                    "write one with a line such as: obj-m := hello.o");
    if (!names_modules) throw refused("its Makefile has no obj-m", "name the modules: obj-m := hello.o");
    if (kernel_.obj.empty() || !hostfs::exists(kernel_.obj / kernel_record_file))
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
    for (const Path& source : hostfs::list(from)) {
      const std::string name = source.filename().string();
      const std::string path = relative.empty() ? name : relative + "/" + name;
      if (is_product(path)) continue;
      // Links are followed: relative ones would lead astray.
      const boost::filesystem::file_type type = hostfs::type(source);
      if (type == boost::filesystem::directory_file) {
        ws_.host().make_directories(to / name);
        copy_into(source, to / name, path);
      } else if (type == boost::filesystem::regular_file) {
        hostfs::copy_file(source, to / name);
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

    DiagnosticReader diagnostics(&rules, dir_, kernel_.obj);
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
    guest::MakeRequest request{.source = kernel_.source,
                               .obj = kernel_.obj,
                               .targets = {},
                               .jobs = options_.jobs > 0 ? options_.jobs : host.cpu_count(),
                               .variables = record.make_variables,
                               .ccache = host.which("ccache").value_or(Path()),
                               .toolchain_id = toolchain.id};
    // Debug information and __FILE__ name the user's folder, not the copy.
    std::string& flags = request.variables["KCFLAGS"];
    flags += fmt::format("{}-ffile-prefix-map={}={}", flags.empty() ? "" : " ", staged, own);
    const ProcessResult result = leased_run(host, ws_.run(), "module-" + stage.filename().string(),
                                            rules.make_module(request, stage), run);
    host.write_file(log, transcript);
    if (!result.ok()) throw_build_failure("build the module in " + own, result, diagnostics, log);

    const std::vector<Path> made = modules_in_order(stage);
    if (made.empty())
      throw BuildError({.attempted = "build the module in " + own,
                        .reason = "make ended well but made no .ko file",
                        .hint = "obj-m must name an object: obj-m := hello.o",
                        .log = log},
                       diagnostics.sorted());
    if (made.size() > 1)
      send(Notice{fmt::format("{} modules were made; the first is {}", made.size(),
                              made.front().filename().string())});
    StagedArtifact artifact(host, ws_.artifacts(), id);
    for (const Path& ko : made) artifact.add(ko, ko.filename());
    ModuleArtifact module;
    module.name = made.front().stem().string();
    std::replace(module.name.begin(), module.name.end(), '-', '_');
    module.ko = artifact.destination() / made.front().filename();
    module.source = dir_;
    module.kernel_id = kernel_.id;
    module.build_id = elf_build_id(made.front());
    host.write_file(artifact.dir() / "artifact.json",
                    artifact_record(module.to_json(), "module",
                                    fmt::format("{} for {}", module.name, kernel_.release), artifact.dir()));
    artifact.publish();
    host.remove_all(stage);
    return module;
  }

  /// In the order of modules.order: a module comes after those that it names before itself in obj-m.
  std::vector<Path> modules_in_order(const Path& stage) const {
    std::vector<Path> made;
    std::istringstream lines(
        hostfs::exists(stage / "modules.order") ? ws_.host().read_file(stage / "modules.order") : "");
    for (std::string line; std::getline(lines, line);) {
      Path path(line);
      path.replace_extension(".ko");  // since 6.2 it lists objects
      if (!path.is_absolute()) path = stage / path;
      if (hostfs::exists(path)) made.push_back(path);
    }
    return made;
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
