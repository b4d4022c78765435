#pragma once
// What to do with a report: is it known, what resembles it, and who touched the lines that it blames.
#include <cstdint>
#include <kdev/crash.hpp>
#include <kdev/deadline.hpp>
#include <kdev/export.hpp>
#include <kdev/path.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kdev {

/// What two reports of the same crash share, however the kernel was built: 16 hexadecimal digits of the system and the
/// title. Empty for a report without a title.
KDEV_API std::string crash_key(const CrashReport& report);

/// A commit of the tree's git repository.
struct KDEV_API Commit {
  std::string id{};
  std::string author{};
  std::string subject{};
  std::int64_t time = 0;  ///< committed: seconds since 1970
  bool operator==(const Commit&) const = default;
};

/// A line that a report blames.
struct KDEV_API SuspectLine {
  StackFrame frame{};
  std::optional<Commit> last{};  ///< the commit that last touched it; nothing: it was never committed as it is
  bool operator==(const SuspectLine&) const = default;
};

struct KDEV_API Suspects {
  std::vector<SuspectLine> lines{};  ///< the guilty one first, then those that called it
  std::vector<Commit> recent{};      ///< the latest that changed the guilty line's file, newest first
  std::vector<std::string> notes{};  ///< what could not be told, and why
  bool operator==(const Suspects&) const = default;
};

struct SuspectOptions {
  std::string revision{};  ///< what the kernel was built from; empty: the tree as it lies there
  int lines = 5;
  int recent = 10;
  Deadline deadline{};
};

/// Asks git(1) about a symbolized report's lines. `tree`: the kernel's, or a module's, in a git repository; frames of files
/// outside of it are passed over. Changes nothing there. ConfigError: it is no repository, or the report has no lines;
/// HostError: git fails, or is not installed.
KDEV_API Suspects suspects(const CrashReport& report, const Path& tree, const SuspectOptions& options = {});

/// One crash as a history knows it.
struct KDEV_API Sighting {
  std::string key{};
  std::string os{}, title{}, type{}, function{};
  std::int64_t first_seen = 0, last_seen = 0;  ///< seconds since 1970
  std::int64_t count = 0;
  std::string first_release{}, last_release{};  ///< of the kernels that printed it
  bool operator==(const Sighting&) const = default;
};

struct KDEV_API SimilarCrash {
  Sighting sighting{};
  double score = 0;    ///< up to 1
  std::string why{};   ///< in words
  bool operator==(const SimilarCrash&) const = default;
};

/// Crashes that were seen, kept in an SQLite database: a file that any number of processes may use at once. Thread-safe.
/// HostError: it cannot be opened, read or written; FormatError: the file is something else, or a newer kdev's.
class KDEV_API CrashHistory {
 public:
  explicit CrashHistory(const Path& file);
  CrashHistory(CrashHistory&&) noexcept;
  CrashHistory& operator=(CrashHistory&&) noexcept;
  ~CrashHistory();
  /// Counts a report; with count 1 it is new. `time`: seconds since 1970, 0: now. ConfigError without a title.
  Sighting add(const CrashReport& report, std::int64_t time = 0);
  std::optional<Sighting> find(const std::string& key) const;
  /// The first report of a crash, with its text. Nothing: not known.
  std::optional<CrashReport> report(const std::string& key) const;
  /// Others of the same system that share a title (also an alternative one), the guilty function, or much of the stack;
  /// most similar first.
  std::vector<SimilarCrash> similar(const CrashReport& report, int limit = 10) const;
  /// All, last seen first.
  std::vector<Sighting> all() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kdev
