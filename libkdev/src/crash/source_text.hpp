#pragma once
#include <functional>
#include <kdev/path.hpp>
#include <map>
#include <string>
#include <vector>

#include "common/elf_file.hpp"

namespace kdev::crash {

/// Source files as the debug information names them, found in a tree that may have moved since. Not
/// thread-safe.
class SourceText {
 public:
  /// `tree`: where the source is now; `built_in`: the tree as the debug information names it. Both may be
  /// empty.
  SourceText(Path tree, std::string built_in);
  /// Where a file that is not there comes from: what finds it by the build id of the program and its name in
  /// the debug information, and gives an empty path where it cannot.
  using Fetch = std::function<Path(const std::string& build_id, const std::string& name)>;
  void fetch_by(Fetch fetch) { fetch_ = std::move(fetch); }
  /// The name relative to the tree where it lies below it, else as it is, without "." and "..". `program`:
  /// whose debug information has the name; null: nothing is fetched.
  std::string relative(const std::string& file, const ElfFile* program = nullptr);
  /// The line's text without indentation; empty when the file or the line is not there. `file` as relative()
  /// gives it.
  std::string line(const std::string& file, int number);
  /// Lines `first` to `last` (1-based) as they are; those that the file has.
  std::vector<std::string> lines(const std::string& file, int first, int last);
  const Path& tree() const { return tree_; }
  /// Where such a file is, if it is there.
  Path path(const std::string& file) const { return Path(file).is_absolute() ? Path(file) : tree_ / file; }

 private:
  Path tree_;
  std::string built_in_;
  struct Origin {
    std::string build_id, name;
  };
  std::string relative_name(const std::string& file) const;
  const std::vector<std::string>& content(const std::string& file);

  Fetch fetch_;
  std::map<std::string, std::string> names_;
  std::map<std::string, Origin> origins_;  // by relative name
  std::map<std::string, std::vector<std::string>> files_;
};

}  // namespace kdev::crash
