// Workspace::build_userland(): a guest's programs from its tree, found again by content.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kdev/error.hpp>
#include <kdev/workspace.hpp>
#include <optional>

#include "build/build_context.hpp"
#include "build/stage.hpp"
#include "build/step_run.hpp"
#include "build/store.hpp"
#include "common/digest.hpp"
#include "common/json.hpp"
#include "guest/guest.hpp"
#include "guest/userland_rules.hpp"
#include "workspace/lock.hpp"

namespace kdev {
namespace {

class UserlandBuild {
 public:
  UserlandBuild(const Workspace& ws, std::string kind, const BuildOptions& options)
      : ws_(ws),
        kind_(std::move(kind)),
        options_(options),
        guest_(guest::guest_for(ws.tree().os)),
        rules_(rules_of(ws, guest_, kind_)),
        context_(ws.host(), ws.root(), ws.tree()) {}

  UserlandArtifact run() {
    std::string id = find_id();
    if (auto stored = from_store(id)) return *stored;
    const FileLock lock = FileLock::acquire(ws_.host(), build_lock_file(ws_.root()), "build " + title(),
                                            options_.deadline, [&](const LockHolder& holder) {
                                              if (options_.on_event)
                                                options_.on_event(Notice{"waiting for " + describe(holder)});
                                            });
    id = find_id();  // the tree may have moved on
    if (auto stored = from_store(id)) return *stored;
    remove_unpublished(ws_.host(), ws_.artifacts());
    return make(id);
  }

 private:
  static const guest::UserlandRules& rules_of(const Workspace& ws, const guest::Guest& guest,
                                              std::string& kind) {
    const auto refused = [&](std::string reason, std::string hint) {
      return ConfigError({.attempted = "build programs for the guest from " + ws.source().string(),
                          .reason = std::move(reason),
                          .hint = std::move(hint),
                          .log = {}});
    };
    const guest::UserlandRules* rules = guest.userland();
    if (!rules)
      throw refused(fmt::format("a tree of {} holds the kernel alone", os_title(ws.tree().os)),
                    "SeedImage::busybox() has programs");
    const std::vector<std::string> kinds = rules->kinds();
    if (kind.empty()) kind = kinds.front();
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      throw refused(fmt::format("there is no \"{}\"", kind),
                    fmt::format("there is: {}", fmt::join(kinds, ", ")));
    return *rules;
  }

  std::string title() const {
    return fmt::format("{} {} {}", to_string(ws_.tree().os), ws_.tree().version, kind_);
  }

  std::string find_id() {
    context_.scan(options_.deadline);
    toolchain_ = context_.toolchain({}, {});
    return Digest()
        .add("userland 2")
        .add(kind_)
        .add(ws_.source().string())
        .add(toolchain_.id)
        .add(guest_.agent_sources_id(ws_.host()))
        .add(context_.build_rules().flags(ws_.host(), ws_.root()))
        .add(context_.tree().digest([this](std::string_view path) { return rules_.matters(path); }))
        .hex()
        .substr(0, 32);
  }

  std::optional<UserlandArtifact> from_store(const std::string& id) const {
    const auto json = stored_artifact(ws_.host(), ws_.artifacts(), id);
    if (!json) return std::nullopt;
    UserlandArtifact artifact = UserlandArtifact::from_json(*json);
    artifact.from_store = true;
    Stage("userland", title(), options_.on_event).done("cached", artifact.dir.string());
    return artifact;
  }

  UserlandArtifact make(const std::string& id) {
    Host& host = ws_.host();
    const guest::MakeRequest request{.source = ws_.source(),
                                     .obj = ws_.obj(),
                                     .targets = {},
                                     .jobs = options_.jobs > 0 ? options_.jobs : host.cpu_count(),
                                     .variables = {},
                                     .ccache = host.which("ccache").value_or(Path()),
                                     .toolchain_id = toolchain_.id,
                                     .root = ws_.root(),
                                     .digest = [this](const std::function<bool(std::string_view)>& accept) {
                                       return context_.tree().digest(accept);
                                     }};
    const StepRun steps(ws_, context_.build_rules(), options_);
    steps.run_shared(rules_.make(host, request, kind_), title());

    Stage stage("userland", title(), options_.on_event);
    return stage.during([&] {
      StagedArtifact staged(host, ws_.artifacts(), id);
      RunOptions run;
      run.deadline = options_.deadline;
      run.lease_dir = ws_.run();
      run.lease_name = "build";
      rules_.install(host, request, kind_, staged.dir(), run);
      const Path agent =
          guest_.make_agent(host, rules_.sysroot(request), ws_.obj() / "agent", options_.deadline);
      if (!agent.empty()) staged.add(agent, "root/init");
      UserlandArtifact artifact;
      artifact.id = id;
      artifact.os = ws_.tree().os;
      artifact.kind = kind_;
      artifact.release = ws_.tree().version;
      artifact.dir = staged.destination();
      artifact.root = artifact.dir / "root";
      if (!rules_.makefs().empty()) artifact.makefs = artifact.dir / "tools" / rules_.makefs();
      if (!rules_.mkimg().empty()) artifact.mkimg = artifact.dir / "tools" / rules_.mkimg();
      if (host.is_directory(staged.dir() / "boot")) artifact.boot = artifact.dir / "boot";
      if (host.is_file(staged.dir() / "METALOG")) artifact.metalog = artifact.dir / "METALOG";
      artifact.sysroot = rules_.sysroot(request);
      host.write_file(staged.dir() / "artifact.json",
                      artifact_record(host, artifact.to_json(), "userland", title(), staged.dir()));
      staged.publish();
      stage.done("done", artifact.dir.string());
      return artifact;
    });
  }

  const Workspace& ws_;
  std::string kind_;
  const BuildOptions& options_;
  const guest::Guest& guest_;
  const guest::UserlandRules& rules_;
  BuildContext context_;
  Toolchain toolchain_;
};

}  // namespace

std::vector<std::string> Workspace::userlands() const {
  const guest::UserlandRules* rules = guest::guest_for(tree().os).userland();
  return rules ? rules->kinds() : std::vector<std::string>();
}

UserlandArtifact Workspace::build_userland(const std::string& kind, const BuildOptions& options) const {
  return UserlandBuild(*this, kind, options).run();
}

std::string UserlandArtifact::to_json() const {
  return json::dump(json::object{{"id", id},
                                 {"os", to_string(os)},
                                 {"userland", kind},
                                 {"release", release},
                                 {"dir", dir.string()},
                                 {"root", root.string()},
                                 {"makefs", makefs.string()},
                                 {"mkimg", mkimg.string()},
                                 {"boot", boot.string()},
                                 {"metalog", metalog.string()},
                                 {"sysroot", sysroot.string()},
                                 {"from_store", from_store}});
}

UserlandArtifact UserlandArtifact::from_json(std::string_view text) {
  const json::object o = json::parse_object(text, "userland artifact");
  UserlandArtifact a;
  a.id = json::get_string(o, "id");
  a.os = os_from_string(json::get_string(o, "os", to_string(a.os)));
  a.kind = json::get_string(o, "userland");
  a.release = json::get_string(o, "release");
  a.dir = json::get_path(o, "dir");
  a.root = json::get_path(o, "root");
  a.makefs = json::get_path(o, "makefs");
  a.mkimg = json::get_path(o, "mkimg");
  a.boot = json::get_path(o, "boot");
  a.metalog = json::get_path(o, "metalog");
  a.sysroot = json::get_path(o, "sysroot");
  a.from_store = json::get_bool(o, "from_store");
  return a;
}

}  // namespace kdev
