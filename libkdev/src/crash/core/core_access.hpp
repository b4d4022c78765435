#pragma once
#include "crash/core/core_state.hpp"

namespace kdev::crash {

/// Files that a Core reads beside its memory.
struct CoreFiles {
  Path kernel;                           ///< empty: none was given
  std::vector<Path> modules;             ///< of those that were loaded
  std::map<std::string, Path> sources;  ///< that the stacks of all threads name, by their names in the tree
};

/// For the parts of kdev that make Cores of more than a file, or look into one.
struct CoreMaker {
  static Core make(std::unique_ptr<Core::State> state) { return Core(std::move(state)); }
  static std::unique_ptr<Core::State> memory(const std::string& name,
                                             std::unique_ptr<guest::CoreMemory> memory,
                                             SymbolSources symbols) {
    return std::make_unique<Core::State>(name, std::move(memory), std::move(symbols));
  }
  static std::unique_ptr<Core::State> file(const Path& file, SymbolSources symbols, const Deadline& deadline) {
    return std::make_unique<Core::State>(file, std::move(symbols), deadline);
  }
  /// `held` stays for as long as the Core does.
  static void hold(Core& core, std::shared_ptr<const void> held) { core.state_->held = std::move(held); }
  /// The files with a Core's symbols, and those with the source of its threads' stacks.
  static CoreFiles files(const Core& core);
};

}  // namespace kdev::crash
