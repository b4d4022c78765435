#pragma once
// An output tree kept between builds. make goes by time stamps alone; an output tree also has to be right
// after a file came back with its old date (mv, cp -p, tar), after a file that shadows another appeared, and
// after make was killed.
#include <cstddef>
#include <kdev/deadline.hpp>
#include <kdev/host.hpp>
#include <string>
#include <vector>

#include "build/tree_state.hpp"
#include "guest/build_rules.hpp"

namespace kdev {

/// Not thread-safe; used under the workspace's build lock.
class ObjTree {
 public:
  ObjTree(Host& host, const guest::BuildRules& rules, Path dir, Path source);

  const Path& dir() const { return dir_; }
  /// Where the last make's output is kept.
  Path log() const { return notes_ / "build.log"; }
  /// Nothing was ever made in it.
  bool fresh() const;

  /// Objects that are in it.
  std::size_t objects() const;

  /// Brings the tree to where make does right by `now`: removes every output that was made from content that
  /// has changed since, and half-written outputs of a make that was killed. Returns how many objects were
  /// removed. When a file that make does not track changed behind make's back, everything goes.
  std::size_t prepare(const TreeState& now);
  /// `digest` is over what the configuration names outside the tree: when it changed, what was made
  /// from that is removed.
  void outside_inputs(const std::string& digest);

  /// Between these two a make runs; a tree that was begun but not ended holds half-written outputs.
  void begin();
  void end() noexcept;

 private:
  std::size_t remove_dependents(const std::vector<TreeChange>& changes, std::vector<bool>& matched);
  void remove_half_written();
  Host& host_;
  const guest::BuildRules& rules_;
  Path dir_, source_, notes_;
};

}  // namespace kdev
