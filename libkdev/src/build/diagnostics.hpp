#pragma once
// Messages of compilers, linkers and make, as data.
#include <kdev/error.hpp>
#include <kdev/host.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/build_rules.hpp"

namespace kdev {

/// Reads make's output line by line, both streams. Not thread-safe.
class DiagnosticReader {
 public:
  /// `rules` may be null. Relative file names are those of `source` or, if it is there, of `obj`.
  DiagnosticReader(Host& host, const guest::BuildRules* rules, Path source, Path obj)
      : host_(host), rules_(rules), source_(std::move(source)), obj_(std::move(obj)) {}

  /// The diagnostic that the line is, if it is one.
  const Diagnostic* line(std::string_view text);

  /// Errors first (make's own last among them), then warnings with their notes; order kept otherwise.
  std::vector<Diagnostic> sorted() const;
  /// The machine ran out of something ("No space left on device", a compiler killed for want of memory), in
  /// words; empty when nothing of the kind was seen.
  const std::string& exhausted() const { return exhausted_; }
  /// What to do about a build that failed for this reason; empty: nothing particular.
  std::string hint(std::string_view reason) const;

 private:
  Path resolved(const std::string& file) const;
  Host& host_;
  const guest::BuildRules* rules_;
  Path source_, obj_;
  std::vector<Diagnostic> found_;
  std::string exhausted_;
};

/// One line of GCC, Clang, GNU ld, lld, gold, GNU as or make; the file as written.
std::optional<Diagnostic> parse_diagnostic(std::string_view line);

/// Throws what a make that ended badly means: HostError when the machine ran out of something, else
/// BuildError.
[[noreturn]] void throw_build_failure(const std::string& attempted, const ProcessResult& result,
                                      const DiagnosticReader& diagnostics, const Path& log);

}  // namespace kdev
