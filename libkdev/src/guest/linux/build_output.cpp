#include "guest/linux/build_output.hpp"

#include <re2/re2.h>

#include <array>
#include <string>

namespace kdev::guest {
namespace {

/// "  TAG [M]  path": tag and path; empty ones for any other line.
struct Step {
  std::string_view tag, path;
  bool module = false;
};

Step parse_step(std::string_view line) {
  if (!line.starts_with("  ") || line.size() < 4 || line[2] == ' ') return {};
  Step step;
  const std::size_t end = line.find(' ', 2);
  if (end == line.npos) return {};
  step.tag = line.substr(2, end - 2);
  std::size_t at = line.find_first_not_of(' ', end);
  if (at == line.npos) return {};
  if (line.substr(at).starts_with("[M]")) {
    step.module = true;
    at = line.find_first_not_of(' ', at + 3);
    if (at == line.npos) return {};
  }
  step.path = line.substr(at);
  return step;
}

}  // namespace

std::string_view linux_made_object(std::string_view line) {
  const Step step = parse_step(line);
  for (const std::string_view tag : {"CC", "AS", "HOSTCC", "HOSTCXX", "RUSTC"})
    if (step.tag == tag) return step.path;
  return {};
}

std::optional<Diagnostic> linux_diagnostic(std::string_view line) {
  const auto piece = [&](const std::string& text) { return re2::StringPiece(text.data(), text.size()); };
  const std::string text(line);
  std::string file, message, severity, number;
  static const RE2 objtool(R"(^(\S+): (warning|error): (objtool: .*)$)");
  static const RE2 modpost(R"(^(ERROR|WARNING|FATAL): modpost: (.*)$)");
  static const RE2 kconfig(R"(^([^\s:]*Kconfig[^\s:]*):(\d+):\s*(?:(warning|error): )?(.*)$)");
  static const RE2 undefined(R"(^"[^"]+" \[(\S+)\] undefined!$)");
  Diagnostic d;
  if (RE2::FullMatch(piece(text), objtool, &file, &severity, &message)) {
    d.file = file, d.severity = severity, d.message = message;
    return d;
  }
  if (RE2::FullMatch(piece(text), modpost, &severity, &message)) {
    d.severity = severity == "WARNING" ? "warning" : "error";
    d.message = "modpost: " + message;
    if (RE2::FullMatch(piece(message), undefined, &file)) d.file = file;
    return d;
  }
  if (RE2::FullMatch(piece(text), kconfig, &file, &number, &severity, &message)) {
    d.file = file, d.line = std::stoi(number), d.severity = severity.empty() ? "error" : severity,
    d.message = message;
    return d;
  }
  return std::nullopt;
}

}  // namespace kdev::guest
