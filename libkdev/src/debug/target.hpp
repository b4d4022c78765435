#pragma once
// What a DebugSession debugs: files, a stub, and what only whoever runs the kernel can do.
#include <functional>
#include <kdev/debug_session.hpp>
#include <kdev/path.hpp>

#include "debug/gdb.hpp"
#include "guest/gdb_rules.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::debug {

struct Target {
  std::string name;           ///< for messages: "VM 'vm0'"
  Path symbols;               ///< the kernel's file with debug information
  Path source;                ///< the tree, where it is now
  std::vector<Path> modules;  ///< files of modules, found by the names that the kernel has them under
  const guest::GdbRules* gdb = nullptr;
  const guest::SymbolRules* names = nullptr;
  GdbOptions options;
  std::string stub;  ///< as "target remote" takes it; a path is relative to GdbOptions::cwd
  /// A breakpoint in the running kernel, so to speak: the stub has the word then.
  std::function<void(const Deadline&)> interrupt;
  /// Asked at the end: the kernel has crashed, and is not to go on where it stopped.
  std::function<bool()> crashed;
  /// Called then, and when gdb has ended in between: the stub waits, and nobody talks to it.
  std::function<void()> abandoned;
  /// Last of all, however it came to that. Does not throw.
  std::function<void()> closed;
};

}  // namespace kdev::debug
