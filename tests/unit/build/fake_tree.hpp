#pragma once
// A source tree that is recognised as Linux and behaves as Kbuild does towards kdev: out-of-tree builds,
// tinyconfig, defconfig, olddefconfig, .cmd files, messages. A dozen lines of C instead of thirty million, so
// that a build takes a tenth of a second and the store can be tested hard.
#include <kdev/event.hpp>
#include <kdev/path.hpp>
#include <kdev/workspace.hpp>
#include <string>
#include <vector>

namespace kdev::test {

/// A temporary folder with a tree, a workspace and a PATH of its own, in which make is counted. Sets PATH and
/// CCACHE_DIR of this process; restored and removed at the end.
class FakeTree {
 public:
  FakeTree();
  ~FakeTree();
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;

  Path top, source, bin;
  Workspace open() const;

  void write(const std::string& path, const std::string& content, bool executable = false) const;
  std::string read(const std::string& path) const;
  void remove(const std::string& path) const;
  /// Gives a file of the tree an old date, as mv and cp -p do.
  void backdate(const std::string& path, int seconds = 100000) const;

  /// The make runs so far, by their last target.
  std::vector<std::string> makes() const;
  /// How many of them built a kernel.
  long kernel_makes() const;
  /// A program ahead of the system's own.
  void add_program(const std::string& name, const std::string& script) const;
  void remove_program(const std::string& name) const;

  static KernConf conf() { return KernConf::defconfig(); }

 private:
  std::string old_path_, old_ccache_;
};

/// Whether the file holds the text.
bool holds(const Path& file, const std::string& text);
/// Objects that the events tell of having been made.
std::vector<std::string> made_objects(const Path& obj);

/// Processes whose command line or working directory names the folder.
std::vector<int> processes_in(const Path& folder);

}  // namespace kdev::test
