#pragma once
// A source tree that is recognised as FreeBSD, whose tools/build/make.py behaves as the real one does towards
// kdev: targets kernel-toolchain, buildkernel (KERNCONF and KERNFAST), installkernel, buildenv; .depend
// files; the kernel in MAKEOBJDIRPREFIX/SOURCE/amd64.amd64/sys/KERNCONF. Compiles a handful of lines of C
// with this machine's compiler.
#include <kdev/path.hpp>
#include <kdev/workspace.hpp>
#include <string>
#include <vector>

#include "unit/host/temp_dir.hpp"

namespace kdev::test {

class FakeFreebsdTree {
 public:
  FakeFreebsdTree();
  ~FakeFreebsdTree();
  FakeFreebsdTree(const FakeFreebsdTree&) = delete;
  FakeFreebsdTree& operator=(const FakeFreebsdTree&) = delete;

  TempDir top;
  Path source;
  Workspace open() const { return Workspace(top / "ws", {.source = source}); }
  void write(const std::string& path, const std::string& content) const { top.write("src/" + path, content); }
  /// Gives a file of the tree an old date, as mv and cp -p do.
  void backdate(const std::string& path) const;
  /// What make.py was called for: "kernel-toolchain", "config kdev-...", "fast kdev-...", "installkernel",
  /// "buildenv".
  std::vector<std::string> calls() const;

  static KernConf conf() { return KernConf::tiny(Os::freebsd); }

 private:
  std::string old_path_;
};

}  // namespace kdev::test
