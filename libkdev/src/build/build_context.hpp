#pragma once
// What configuring and building start from: the rules of the tree's guest, what the tree holds now, and with
// what tools.
#include <kdev/kern_conf.hpp>
#include <kdev/workspace.hpp>
#include <string>

#include "build/toolchain.hpp"
#include "build/tree_state.hpp"
#include "guest/build_rules.hpp"
#include "guest/conf_rules.hpp"

namespace kdev {

/// Cheap to make again: all that is slow is remembered in the workspace. Not thread-safe.
class BuildContext {
 public:
  /// ConfigError when the tree's guest cannot be built (yet), or the tree is not fit for it.
  BuildContext(Host& host, const Path& root, const SourceTree& tree);

  Host& host() const { return host_; }
  const SourceTree& source() const { return source_; }
  const guest::ConfRules& conf_rules() const { return *conf_rules_; }
  const guest::BuildRules& build_rules() const { return *build_rules_; }
  /// Folder of what is remembered between builds.
  const Path& memory() const { return memory_; }
  const Path& root() const { return root_; }
  FileHashes& hashes() { return hashes_; }

  /// HostError, with what to install, when a tool is missing.
  Toolchain toolchain(const guest::Values& config, const guest::Variables& variables) {
    return identify_toolchain(host_, *build_rules_, config, variables, hashes_, parts_);
  }

  /// Looks at the tree (again); what was learnt is saved.
  const TreeState& scan(const Deadline& deadline);
  const TreeState& tree() const { return tree_; }

  /// scan() first. Merged and resolved; from memory when neither the tree's configuration files, nor the
  /// compiler, nor what was asked changed. Lost options are in the result.
  ResolvedConf resolve(const KernConf& conf, const Deadline& deadline, bool* from_memory = nullptr);
  /// What came of it, by the tree's own tool where that is there only now. ConfigError.
  void check(const KernConf& conf, const ResolvedConf& resolved, const Deadline& deadline);

 private:
  Host& host_;
  Path root_;
  SourceTree source_;
  const guest::ConfRules* conf_rules_;
  const guest::BuildRules* build_rules_;
  Path memory_;
  FileHashes hashes_;
  CompilerParts parts_;
  TreeState tree_;
  bool loaded_ = false;
};

/// ConfigError that names every lost option, what it depends on that is not met, and who asked for it.
ConfigError lost_options_error(const SourceTree& tree, const std::vector<LostOption>& lost);

}  // namespace kdev
