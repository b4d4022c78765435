#include "build/diagnostics.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>

namespace kdev {
namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

constexpr std::size_t most_kept = 2000;  // a build that warns without end must not fill memory

}  // namespace

std::optional<Diagnostic> parse_diagnostic(std::string_view line) {
  Diagnostic d;
  std::string file, severity;
  // GCC, Clang: "file.c:12:3: error: message", without column with some options and from as ("file.s:4:
  // Error: ...").
  static const RE2 compiler(
      R"(^([^\s:][^:]*):(\d+)(?::(\d+))?: (fatal error|error|warning|note|Error|Fatal error|Warning): (.*)$)");
  std::string number, column;
  if (RE2::FullMatch(piece(line), compiler, &file, &number, &column, &severity, &d.message)) {
    d.file = file;
    d.line = std::atoi(number.c_str());
    d.column = std::atoi(column.c_str());
    std::transform(severity.begin(), severity.end(), severity.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    d.severity = severity;
    return d;
  }
  // ld with debug information: "/src/a.c:12: undefined reference to `f'"; without: "a.o:(.text+0x5):
  // undefined ...".
  static const RE2 undefined(
      R"(^(?:[^\s:]*ld(?:\.\w+)?: )?([^\s:]+):(?:(\d+)|\(([^)]*)\)): ((?:more )?undefined reference to .*|multiple definition of .*)$)");
  std::string section;
  if (RE2::FullMatch(piece(line), undefined, &file, &number, &section, &d.message)) {
    d.file = file;
    d.line = std::atoi(number.c_str());
    d.severity = "error";
    return d;
  }
  // lld: "ld.lld: error: undefined symbol: f"; ld: "ld: cannot find x", "ld: a.o: relocation truncated".
  static const RE2 linker(R"(^(?:\S*/)?(?:[\w-]+-)?(?:ld|gold|lld)(?:\.\w+)?: (?:(error|warning): )?(.*)$)");
  if (RE2::FullMatch(piece(line), linker, &severity, &d.message)) {
    static const RE2 introduction(R"(: in function `[^']*':$)");  // the next line says what is wrong
    if (RE2::PartialMatch(piece(line), introduction)) return std::nullopt;
    d.severity = severity.empty() ? (d.message.starts_with("warning: ") ? "warning" : "error") : severity;
    d.message = "ld: " + d.message;
    return d;
  }
  // make: "make[3]: *** [scripts/Makefile.build:250: kernel/a.o] Error 1", "make: *** No rule to make target
  // ...  Stop."
  static const RE2 make(R"(^make(?:\[\d+\])?: \*\*\* (.*)$)");
  static const RE2 failed(
      R"(^\[([^\s:\]]+):(\d+): .*\] (?:Error|Segmentation|Killed|Terminated|Interrupt|Hangup).*$)");
  if (RE2::FullMatch(piece(line), make, &d.message)) {
    if (RE2::FullMatch(piece(d.message), failed, &file, &number)) {
      d.file = file;
      d.line = std::atoi(number.c_str());
    }
    d.severity = "error";
    d.message = "make: " + d.message;
    return d;
  }
  static const RE2 makefile(R"(^([^\s:][^\s:]*):(\d+): \*\*\* (.*)$)");
  if (RE2::FullMatch(piece(line), makefile, &file, &number, &d.message)) {
    d.file = file;
    d.line = std::atoi(number.c_str());
    d.severity = "error";
    return d;
  }
  // The compiler's driver, and programs that the shell does not find.
  static const RE2 driver(
      R"(^(?:\S*/)?(?:[\w.-]+-)?(?:gcc|g\+\+|clang|cc1|as)(?:-[\d.]+)?: (fatal error|error|warning): (.*)$)");
  if (RE2::FullMatch(piece(line), driver, &d.severity, &d.message)) return d;
  static const RE2 shell(
      R"(^(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d+: )?(.*: not found|.*: command not found|.*: No such file or directory)$)");
  if (RE2::FullMatch(piece(line), shell, &d.message)) {
    d.severity = "error";
    return d;
  }
  return std::nullopt;
}

Path DiagnosticReader::resolved(const std::string& file) const {
  const Path path(file);
  if (file.empty() || path.is_absolute()) return path.lexically_normal();
  for (const Path& base : {source_, obj_})
    if (host_.exists(base / path)) return (base / path).lexically_normal();
  return (source_ / path).lexically_normal();
}

const Diagnostic* DiagnosticReader::line(std::string_view text) {
  if (exhausted_.empty()) {
    if (text.find("No space left on device") != text.npos)
      exhausted_ = "no space left on device";
    else if (text.find("Disk quota exceeded") != text.npos)
      exhausted_ = "disk quota exceeded";
    else if (text.find("Killed signal terminated program") != text.npos ||
             text.find("virtual memory exhausted") != text.npos ||
             text.find("Cannot allocate memory") != text.npos)
      exhausted_ = "out of memory";
  }
  std::optional<Diagnostic> d = rules_ ? rules_->diagnostic(text) : std::nullopt;
  if (!d) d = parse_diagnostic(text);
  if (!d || found_.size() >= most_kept) return nullptr;
  d->file = resolved(d->file.string());
  found_.push_back(std::move(*d));
  return &found_.back();
}

std::vector<Diagnostic> DiagnosticReader::sorted() const {
  std::vector<Diagnostic> errors, make, rest;
  bool after_error = false;  // notes stay with what they explain
  for (const Diagnostic& d : found_) {
    const bool error = d.severity == "error" || d.severity == "fatal error";
    if (error && d.message.starts_with("make: "))
      make.push_back(d);
    else if (error || (d.severity == "note" && after_error))
      errors.push_back(d);
    else
      rest.push_back(d);
    if (d.severity != "note") after_error = error;
  }
  errors.insert(errors.end(), make.begin(), make.end());
  errors.insert(errors.end(), rest.begin(), rest.end());
  return errors;
}

std::string DiagnosticReader::hint(std::string_view reason) const {
  if (std::string own = rules_ ? rules_->failure_hint(reason) : std::string(); !own.empty()) return own;
  if (reason.find("not found") != reason.npos || reason.find("No such file or directory") != reason.npos)
    return "a program or header that the build needs may not be installed: `kdev doctor` names them";
  return {};
}

void throw_build_failure(const std::string& attempted, const ProcessResult& result,
                         const DiagnosticReader& diagnostics, const Path& log) {
  if (!diagnostics.exhausted().empty())
    throw HostError({.attempted = attempted,
                     .reason = diagnostics.exhausted(),
                     .hint = "what was built so far is kept: the next build goes on from there",
                     .log = log});
  std::vector<Diagnostic> all = diagnostics.sorted();
  std::string reason = "make: " + describe(result.status);
  std::size_t errors = 0;
  const Diagnostic* first = nullptr;
  for (const Diagnostic& d : all) {
    if (d.severity != "error" && d.severity != "fatal error") continue;
    if (!first) first = &d;
    errors += !d.message.starts_with("make: ");
  }
  if (first) {
    reason = first->message;
    if (!first->file.empty())
      reason = first->line ? fmt::format("{}:{}: {}", first->file.string(), first->line, reason)
                           : fmt::format("{}: {}", first->file.string(), reason);
    if (errors > 1) reason += fmt::format(" (and {} more)", errors - 1);
  } else if (!result.err.empty()) {
    const std::string_view text = result.err;
    reason += ": " + std::string(text.substr(text.size() > 500 ? text.size() - 500 : 0));
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  }
  std::string hint = diagnostics.hint(reason);
  throw BuildError({.attempted = attempted, .reason = std::move(reason), .hint = std::move(hint), .log = log},
                   std::move(all));
}

}  // namespace kdev
