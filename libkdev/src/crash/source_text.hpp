#pragma once
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <vector>

namespace kdev::crash {

/// Source files as the debug information names them, found in a tree that may have moved since. Not
/// thread-safe.
class SourceText {
 public:
  /// `tree`: where the source is now; `built_in`: the tree as the debug information names it. Both may be
  /// empty.
  SourceText(Path tree, std::string built_in);
  /// The name relative to the tree where it lies below it, else as it is, without "." and "..".
  std::string relative(const std::string& file);
  /// The line's text without indentation; empty when the file or the line is not there. `file` as relative()
  /// gives it.
  std::string line(const std::string& file, int number);
  /// Where such a file is, if it is there.
  Path path(const std::string& file) const { return Path(file).is_absolute() ? Path(file) : tree_ / file; }

 private:
  Path tree_;
  std::string built_in_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::vector<std::string>> files_;
};

}  // namespace kdev::crash
