#include "guest/freebsd/build_output.hpp"

#include <re2/re2.h>

#include <cstdlib>
#include <string>

namespace kdev::guest {
namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

std::string_view last_word(std::string_view line) {
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  return line.substr(line.rfind(' ') + 1);
}

}  // namespace

std::string_view freebsd_made_object(std::string_view line) {
  // In META_MODE the target is printed.
  if (line.starts_with("Building /"))
    return line.ends_with(".o") ? line.substr(std::string_view("Building ").size()) : std::string_view();
  // Else whole commands: "CC ... -c ... /src/sys/kern/kern_fork.c", "CC ... -c a.c -o a.o".
  const std::string_view program = line.substr(0, line.find(' '));
  const std::string_view name = program.substr(program.rfind('/') + 1);
  if (name != "ccache" && !name.starts_with("clang") && name != "cc" && name != "c++") return {};
  if (line.find(" -c ") == line.npos) return {};
  std::string_view last = last_word(line);
  if (line.find(" -o ") != line.npos && last.ends_with(".o")) return last;
  last = last.substr(last.rfind('/') + 1);
  for (const char* kind : {".c", ".S", ".s", ".cc", ".cpp"})
    if (last.ends_with(kind)) return last;
  return {};
}

std::string_view freebsd_headline(std::string_view line) {
  if (line.starts_with(">>> ")) return line.substr(4);
  if (line.starts_with("===> ")) return line.substr(5);
  return {};
}

std::optional<Diagnostic> freebsd_diagnostic(std::string_view line) {
  Diagnostic d;
  d.severity = "error";
  // bmake: "*** [kern_fork.o] Error code 1".
  static const RE2 failed(R"(^\*\*\* (\[[^\]]*\] (?:Error code|Signal) .*|Signal .*)$)");
  if (RE2::FullMatch(piece(line), failed, &d.message)) {
    d.message = "make: " + d.message;
    return d;
  }
  // "bmake: "/src/Makefile" line 3: Missing dependency operator".
  std::string file, number;
  static const RE2 makefile(R"re(^b?make(?:\[\d+\])?: "([^"]+)" line (\d+): (?:warning: )?(.*)$)re");
  if (RE2::FullMatch(piece(line), makefile, &file, &number, &d.message)) {
    if (line.find(" warning: ") != line.npos) d.severity = "warning";
    d.file = file;
    d.line = std::atoi(number.c_str());
    return d;
  }
  static const RE2 missing(R"(^b?make(?:\[\d+\])?: (don't know how to make .*)$)");
  if (RE2::FullMatch(piece(line), missing, &d.message)) {
    d.message = "make: " + d.message;
    return d;
  }
  // config(8): "config: Error: device "nosuch" is unknown", "KERNCONF:12: syntax error".
  static const RE2 config(R"(^config: (?:Error: )?(.*)$)");
  if (RE2::FullMatch(piece(line), config, &d.message)) {
    d.message = "config: " + d.message;
    return d;
  }
  static const RE2 syntax(R"(^([^\s:]+):(\d+): (syntax error|.*unknown.*)$)");
  if (RE2::FullMatch(piece(line), syntax, &file, &number, &d.message)) {
    d.file = file;
    d.line = std::atoi(number.c_str());
    return d;
  }
  return std::nullopt;
}

}  // namespace kdev::guest
