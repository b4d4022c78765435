#include "build/build_context.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>

#include "common/digest.hpp"
#include "guest/guest.hpp"

namespace kdev {

BuildContext::BuildContext(Host& host, const Path& root, const SourceTree& tree)
    : host_(host),
      root_(root),
      source_(tree),
      conf_rules_(guest::guest_for(tree.os).conf()),
      build_rules_(guest::guest_for(tree.os).build()),
      memory_(root / "obj" / ".kdev"),
      hashes_(host, memory_ / "file-hashes") {
  if (!conf_rules_ || !build_rules_)
    throw ConfigError({.attempted = fmt::format("build {}", source_.path.string()),
                       .reason = fmt::format("building {} is not there yet", to_string(source_.os)),
                       .hint = "",
                       .log = {}});
}

const TreeState& BuildContext::scan(const Deadline& deadline) {
  guest::guest_for(source_.os).check_tree(host_, source_);
  // One file for each source tree: a workspace may be opened with another one.
  const Path file = memory_ / ("tree-" + sha256(source_.path.string()).substr(0, 16));
  if (!loaded_) tree_ = TreeState::load(host_, file);
  loaded_ = true;
  const std::size_t files = tree_.counts().files;
  tree_ = TreeState::scan(
      host_, source_.path, tree_, [this](std::string_view path) { return build_rules_->ignored(path); },
      deadline);
  if (tree_.counts().read != 0 || tree_.counts().files != files) {
    host_.make_directories(memory_);
    tree_.save(host_, file);
  }
  return tree_;
}

ConfigError lost_options_error(const SourceTree& tree, const std::vector<LostOption>& lost) {
  std::string reason =
      lost.size() == 1 ? "an option was not kept" : fmt::format("{} options were not kept", lost.size());
  for (const LostOption& option : lost) {
    reason += fmt::format("\n  {}={} (asked for by: {}): ", option.asked.option, option.asked.value,
                          option.asked.origin);
    if (option.type.empty() && !option.got) {
      reason += "the tree knows no such option";
      if (!option.nearest.empty()) {
        reason += "; similar ones:";
        for (const std::string& name : option.nearest) reason += " " + name;
      }
      continue;
    }
    reason += fmt::format("is {}", option.got.value_or("n"));
    if (!option.unmet.empty()) {
      reason += "; because of";
      for (std::size_t i = 0; i < option.unmet.size(); ++i)
        reason += fmt::format("{} {}", i ? "," : "", option.unmet[i]);
    }
    if (!option.depends.empty()) reason += fmt::format("\n    depends on {}", option.depends);
  }
  return ConfigError(
      {.attempted = fmt::format("configure {} {}", to_string(tree.os), tree.version),
       .reason = std::move(reason),
       .hint = "enable what is missing, or leave the option out; KernConf.describe() shows the layers",
       .log = {}});
}

}  // namespace kdev
