// Resolving a KernConf against a tree, and remembering the outcome.
#include <fmt/format.h>

#include <kdev/error.hpp>
#include <optional>

#include "build/build_context.hpp"
#include "common/digest.hpp"
#include "common/json.hpp"
#include "workspace/lock.hpp"

namespace kdev {
namespace {

json::object setting_json(const ConfSetting& s) {
  return {{"option", s.option}, {"value", s.value}, {"origin", s.origin}, {"wanted", s.wanted}};
}

ConfSetting setting_from(const json::object& o) {
  return {json::get_string(o, "option"), json::get_string(o, "value"), json::get_string(o, "origin"),
          json::get_bool(o, "wanted")};
}

std::string remember(const ResolvedConf& conf) {
  json::array lost, overridden;
  for (const LostOption& option : conf.lost) {
    json::object o{{"asked", setting_json(option.asked)},
                   {"type", option.type},
                   {"depends", option.depends},
                   {"unmet", json::from_strings(option.unmet)},
                   {"nearest", json::from_strings(option.nearest)}};
    if (option.got) o["got"] = *option.got;
    lost.push_back(std::move(o));
  }
  for (const ConfSetting& setting : conf.overridden) overridden.push_back(setting_json(setting));
  return json::dump(
      json::object{{"text", conf.text}, {"lost", std::move(lost)}, {"overridden", std::move(overridden)}});
}

/// The file that the bases "file" and "running" start from. KernConf is a value without a host: the file is
/// one of this machine, wherever the workspace is.
std::string read_base(const KernConf& conf) {
  const Path& file = conf.base_file();
  if (file.empty()) return {};
  Host& here = *local_host();
  if (file.extension() != ".gz") return here.read_file(file);
  return here.check("read " + file.string(), {.argv = {"gzip", "-dc", file.string()}}).out;
}

ResolvedConf recall(const std::string& text, const guest::ConfRules& rules) {
  const json::object o = json::parse_object(text, "resolved configuration");
  ResolvedConf conf;
  conf.text = json::get_string(o, "text");
  conf.values = rules.parse(conf.text);
  for (const json::value& element : o.at("lost").as_array()) {
    const json::object& l = element.as_object();
    LostOption option{.asked = setting_from(l.at("asked").as_object()),
                      .got = std::nullopt,
                      .type = json::get_string(l, "type"),
                      .depends = json::get_string(l, "depends"),
                      .unmet = json::get_strings(l, "unmet"),
                      .nearest = json::get_strings(l, "nearest")};
    if (l.contains("got")) option.got = json::get_string(l, "got");
    conf.lost.push_back(std::move(option));
  }
  for (const json::value& element : o.at("overridden").as_array())
    conf.overridden.push_back(setting_from(element.as_object()));
  return conf;
}

}  // namespace

ResolvedConf BuildContext::resolve(const KernConf& conf, const Deadline& deadline, bool* from_memory) {
  if (conf.os() != source_.os)
    throw ConfigError({.attempted = fmt::format("configure {}", source_.path.string()),
                       .reason = fmt::format("the configuration is for {}, the tree is {}",
                                             to_string(conf.os()), to_string(source_.os)),
                       .hint = "",
                       .log = {}});
  if (conf.base().empty())
    throw ConfigError({.attempted = fmt::format("configure {}", source_.path.string()),
                       .reason = "the configuration has no base",
                       .hint = "start from KernConf::tiny, defconfig, running or file",
                       .log = {}});
  if (tree_.empty()) scan(deadline);
  const Toolchain toolchain = this->toolchain({}, conf.make_variables());
  const auto configures = [this](std::string_view path) { return conf_rules_->configures(path); };
  const std::string state = Digest()
                                .add(source_.path.string())
                                .add(toolchain.id)
                                .add(json::dump(json::from_map(conf.make_variables())))
                                .add(tree_.digest(configures))
                                .hex();
  Digest digest;
  digest.add("configuration 2").add(state).add(conf.to_json());
  const std::string base_text = read_base(conf);
  digest.add(base_text);
  const Path file = memory_ / "conf" / digest.hex().substr(0, 32);

  if (from_memory) *from_memory = true;
  if (host_.exists(file)) {
    try {
      return recall(host_.read_file(file), *conf_rules_);
    } catch (const std::exception&) {  // damaged: made anew
    }
  }
  if (from_memory) *from_memory = false;

  // The tree's tool is built in an output folder of its own, which serves all configurations in turn.
  host_.make_directories(memory_ / "conf");
  const FileLock lock = FileLock::acquire(host_, memory_ / "conf.lock", "configure", deadline);
  const Path scratch = memory_ / "configure", run = root_ / "run";
  // A dead owner's make may still be at work in it.
  host_.reap(run);
  const std::string made_for =
      source_.path.string() + "\n" + toolchain.id + "\n" +
      tree_.digest([this](std::string_view path) { return conf_rules_->tool_source(path); });
  // What make has built there stands for other sources or another compiler: time stamps need not tell. Nor is
  // anything to be kept of a run that did not come to its end.
  const Path stamp = scratch / ".kdev-made-for";
  if (!host_.exists(stamp) || host_.read_file(stamp) != made_for) host_.remove_all(scratch);
  host_.make_directories(scratch);
  host_.remove_all(stamp);
  ResolvedConf resolved = conf_rules_->configure({.host = host_,
                                                  .source = source_.path,
                                                  .scratch = scratch,
                                                  .run = run,
                                                  .state = state,
                                                  .base = conf.base(),
                                                  .base_file = conf.base_file(),
                                                  .base_text = base_text,
                                                  .settings = conf.settings(),
                                                  .make_variables = conf.make_variables(),
                                                  .deadline = deadline});
  host_.write_file(stamp, made_for);
  host_.write_file(file, remember(resolved));
  return resolved;
}

void BuildContext::check(const KernConf& conf, const ResolvedConf& resolved, const Deadline& deadline) {
  const Path tool = conf_rules_->checker(host_, root_, source_.path, conf.make_variables());
  if (tool.empty()) return;
  host_.make_directories(memory_);
  const FileLock lock = FileLock::acquire(host_, memory_ / "conf.lock", "check a configuration", deadline);
  conf_rules_->check({.host = host_,
                      .tool = tool,
                      .source = source_.path,
                      .scratch = memory_ / "check",
                      .run = root_ / "run",
                      .text = resolved.text,
                      .settings = conf.settings(),
                      .make_variables = conf.make_variables(),
                      .deadline = deadline});
}

ResolvedConf KernConf::try_resolve(const Workspace& ws, const Deadline& deadline) const {
  BuildContext context(ws.host(), ws.root(), ws.tree());
  return context.resolve(*this, deadline);
}

ResolvedConf KernConf::resolve(const Workspace& ws, const Deadline& deadline) const {
  BuildContext context(ws.host(), ws.root(), ws.tree());
  ResolvedConf resolved = context.resolve(*this, deadline);
  if (!resolved.lost.empty()) throw lost_options_error(ws.tree(), resolved.lost);
  context.check(*this, resolved, deadline);
  return resolved;
}

}  // namespace kdev
