#pragma once
#include <compare>
#include <functional>
#include <kdev/export.hpp>
#include <kdev/path.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

/// One statement of a FreeBSD kernel configuration file; of `options A, B` each is one of its own.
struct KernconfEntry {
  std::string keyword;  ///< as config(5) spells it: "options" also where the file says "option"
  std::string name;     ///< option, device, CPU, variable; the identifier of `ident`; the path of `include`
  std::optional<std::string>
      value;            ///< what follows '=', without quotes; the line of `envvar` after its name
  bool append = false;  ///< makeoptions NAME+=VALUE
  Path file;            ///< where it stands; empty: it has no file
  int line = 0;         ///< 1-based
  bool operator==(const KernconfEntry&) const = default;
};

/// What config(8) makes of a configuration and everything it includes.
struct KernconfSummary {
  std::string ident, machine, machine_arch;
  std::vector<KernconfEntry>
      entries;              ///< in effect, in order of their places; the no- ones and includes applied
  std::vector<Path> files;  ///< read, in the order of their first line
  /// The entry that is in effect; null: none.
  const KernconfEntry* find(std::string_view keyword, std::string_view name) const;
  bool operator==(const KernconfSummary&) const = default;
};

/// One difference between two configurations in effect.
struct KernconfDiff {
  std::string keyword, name;
  std::optional<std::string> left, right;  ///< nothing: not there; empty: there without a value
  bool operator==(const KernconfDiff&) const = default;
};

/// What config(8), or the build after it, would stumble over.
struct KernconfProblem {
  KernconfEntry entry;  ///< with its place; of a missing `ident` or `machine`, only the keyword
  std::string what;     ///< "unknown option", "obsolete option: now NAME", "unknown device", "missing"
  std::vector<std::string> nearest;  ///< names that may have been meant
  bool operator==(const KernconfProblem&) const = default;
};

/// A FreeBSD kernel configuration file (KERNCONF) as text that can be looked into and edited: an immutable
/// value, every edit returns a new one. What an edit does not concern keeps its layout, comments and line
/// ends, to the byte. Grammar: config(5), usr.sbin/config/lang.l and config.y.
class KDEV_API KernconfFile {
 public:
  KernconfFile() = default;
  /// `file` is for messages and for finding includes. ConfigError names file, line and what was expected.
  static KernconfFile parse(std::string_view text, const Path& file = {});
  /// ConfigError also when the file cannot be read.
  static KernconfFile load(const Path& file);

  const std::string& text() const { return text_; }
  const Path& file() const { return file_; }
  /// The statements in order, includes not followed.
  std::vector<KernconfEntry> entries() const;

  /// `options NAME[=VALUE]`, `device NAME`, `makeoptions NAME=VALUE`, `ident NAME` ...: changed where it
  /// stands, else added after the last of its kind; a no- statement of this file about it goes away.
  /// ConfigError for a keyword or a name that config(8) would not take.
  KernconfFile set(std::string_view keyword, std::string_view name,
                   std::optional<std::string_view> value = {}) const;
  /// Takes the statement out of this file, the line with its comment when nothing else is on it. What is not
  /// there needs no removing.
  KernconfFile remove(std::string_view keyword, std::string_view name) const;

  /// Follows the includes and applies everything in order, DEFAULTS beside the file first, as config(8) does.
  /// Included files are looked for beside this file, in `include_dirs`, and in sys/conf of `tree` (may be
  /// empty: none). ConfigError for a missing file (naming who includes it) and for a cycle (naming it whole).
  KernconfSummary summarize(const Path& tree = {}, const std::vector<Path>& include_dirs = {}) const;
  /// The summary as one file without includes that config(8) makes the same kernel of.
  KernconfFile flatten(const Path& tree = {}, const std::vector<Path>& include_dirs = {}) const;

  bool operator==(const KernconfFile&) const = default;

 private:
  std::string text_;
  Path file_;
};

/// Options, CPU types and devices that the tree does not know (sys/conf/options*, the optional words of
/// files*), an `ident` or `machine` that is missing. Reads the tree, runs nothing. ConfigError when `tree` is
/// none.
KDEV_API std::vector<KernconfProblem> check_kernconf(const KernconfSummary& summary, const Path& tree);

/// Differences of what is in effect, by keyword and name.
KDEV_API std::vector<KernconfDiff> diff_kernconfs(const KernconfSummary& left, const KernconfSummary& right);

}  // namespace kdev
