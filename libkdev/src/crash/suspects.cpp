// Who touched the lines that a report blames: git(1).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <kdev/triage.hpp>
#include <sstream>

#include "host/hostfs.hpp"

namespace kdev {
namespace {

class Repository {
 public:
  Repository(Path tree, const SuspectOptions& options) : tree_(std::move(tree)), options_(options) {
    if (!local_host()->which("git"))
      throw HostError(
          {.attempted = attempted(), .reason = "git is not installed", .hint = "apt install git", .log = {}});
    const ProcessResult inside = git({"rev-parse", "--is-inside-work-tree"});
    if (!inside.ok() || !inside.out.starts_with("true"))
      throw ConfigError({.attempted = attempted(),
                         .reason = tree_.string() + " is in no git repository",
                         .hint = first_line(inside.err),
                         .log = {}});
    if (!options_.revision.empty() &&
        !git({"rev-parse", "--verify", "--quiet", "--end-of-options", options_.revision + "^{commit}"}).ok())
      throw ConfigError({.attempted = attempted(),
                         .reason = "the repository has no commit " + options_.revision,
                         .hint = {},
                         .log = {}});
  }

  std::string attempted() const { return "look for suspects in " + tree_.string(); }

  /// Nothing: the file or the line is not there. A commit without an id: the line was never committed.
  std::optional<Commit> last_change(const std::string& file, int line, std::string& problem) const {
    std::vector<std::string> arguments{"blame", "--porcelain", "-L", fmt::format("{0},{0}", line)};
    if (!options_.revision.empty()) arguments.push_back(options_.revision);
    arguments.insert(arguments.end(), {"--", file});
    const ProcessResult blame = git(std::move(arguments));
    if (!blame.ok()) {
      problem = first_line(blame.err);
      return std::nullopt;
    }
    Commit commit;
    std::istringstream text(blame.out);
    std::string word;
    text >> commit.id;
    std::getline(text, word);
    for (std::string each; std::getline(text, each) && !each.starts_with('\t');) {
      if (each.starts_with("author ")) commit.author = each.substr(7);
      if (each.starts_with("summary ")) commit.subject = each.substr(8);
      if (each.starts_with("committer-time ")) commit.time = number(each.substr(15));
    }
    if (commit.id.find_first_not_of('0') == commit.id.npos) commit.id.clear();
    return commit;
  }

  std::vector<Commit> recent(const std::string& file) const {
    std::vector<std::string> arguments{"log", fmt::format("--max-count={}", options_.recent), "-z",
                                       "--format=%H%x00%an%x00%ct%x00%s"};
    if (!options_.revision.empty()) arguments.push_back(options_.revision);
    arguments.insert(arguments.end(), {"--", file});
    const ProcessResult log = git(std::move(arguments));
    if (!log.ok())
      throw HostError({.attempted = attempted(), .reason = first_line(log.err), .hint = {}, .log = {}});
    std::vector<Commit> commits;
    std::istringstream text(log.out);
    std::string id, author, time, subject;
    while (std::getline(text, id, '\0') && std::getline(text, author, '\0') &&
           std::getline(text, time, '\0') && std::getline(text, subject, '\0'))
      commits.push_back({.id = id, .author = author, .subject = subject, .time = number(time)});
    return commits;
  }

 private:
  ProcessResult git(std::vector<std::string> arguments) const {
    // Nothing is written: no index is refreshed, no lock taken.
    arguments.insert(arguments.begin(), {"git", "--no-optional-locks", "-C", tree_.string()});
    return local_host()->run({.argv = std::move(arguments), .env = {{"LC_ALL", "C"}}},
                             {.deadline = options_.deadline});
  }
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
  static std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  Path tree_;
  const SuspectOptions& options_;
};

/// As the tree has it; empty: it lies elsewhere.
std::string name_in(const Path& tree, const std::string& file) {
  const Path path(file);
  if (!path.is_absolute()) return path.lexically_normal().string();
  const Path relative = path.lexically_relative(tree);
  return relative.empty() || *relative.begin() == ".." ? std::string() : relative.string();
}

}  // namespace

Suspects suspects(const CrashReport& report, const Path& given, const SuspectOptions& options) {
  const Path tree = hostfs::absolute(given);
  const Repository repository(tree, options);
  Suspects result;
  const StackFrame* guilty = report.guilty();
  bool begun = guilty == nullptr;  // without one, from the top
  std::string file_of_guilty;
  for (const StackFrame& frame : report.frames()) {
    begun = begun || &frame == guilty;
    if (!begun || frame.line <= 0 || !frame.reliable) continue;
    if (static_cast<int>(result.lines.size()) >= options.lines) break;
    const std::string file = name_in(tree, frame.file);
    std::string problem = "its file is not in the tree";
    const auto commit = file.empty() ? std::nullopt : repository.last_change(file, frame.line, problem);
    if (!commit) {
      result.notes.push_back(fmt::format("{} ({}:{}): {}", frame.function, frame.file, frame.line, problem));
      continue;
    }
    SuspectLine line{.frame = frame};
    if (commit->id.empty())
      result.notes.push_back(fmt::format("{}:{} is not committed", file, frame.line));
    else
      line.last = *commit;
    if (file_of_guilty.empty()) file_of_guilty = file;
    result.lines.push_back(std::move(line));
  }
  if (result.lines.empty())
    throw ConfigError(
        {.attempted = repository.attempted(),
         .reason = result.notes.empty() ? "the report has no lines of source" : result.notes.front(),
         .hint = result.notes.empty() ? "symbolize it first: Symbolizer.symbolize()"
                                      : "give the tree that the kernel was built from",
         .log = {}});
  result.recent = repository.recent(file_of_guilty);
  return result;
}

}  // namespace kdev
