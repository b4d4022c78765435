#pragma once
#include <kdev/host.hpp>
#include <kdev/source_tree.hpp>
#include <kdev/workspace.hpp>
#include <memory>
#include <string>
#include <vector>

namespace kdev {

/// What an open workspace knows. Fixed once the constructor is through.
struct Workspace::State {
  std::shared_ptr<Host> host;
  Path root;        ///< absolute, "~" expanded
  SourceTree tree;  ///< tree.path is Workspace::source()
  std::vector<std::string> reaped;
};

}  // namespace kdev
