#include "build/toolchain.hpp"

#include <fmt/format.h>

#include <kdev/error.hpp>
#include <set>

#include "common/digest.hpp"

namespace kdev {
namespace {

/// Debian's package for a program, for the hint.
std::string package_of(const std::string& program) {
  static const std::map<std::string, std::string> packages = {
      {"ld", "binutils"},      {"ar", "binutils"},    {"nm", "binutils"},
      {"objcopy", "binutils"}, {"strip", "binutils"}, {"pahole", "dwarves"},
      {"ld.lld", "lld"},       {"llvm-ar", "llvm"},   {"llvm-nm", "llvm"}};
  const auto found = packages.find(program);
  return found == packages.end() ? program : found->second;
}

std::vector<std::pair<std::string, Path>> parts_of(Host& host, const guest::BuildRules& rules,
                                                   const std::string& compiler) {
  std::vector<std::pair<std::string, Path>> parts;
  for (const std::vector<std::string>& arguments : rules.compiler_parts()) {
    Command ask{.argv = {compiler}};
    ask.argv.insert(ask.argv.end(), arguments.begin(), arguments.end());
    const ProcessResult answer = host.run(ask);
    const std::string part = answer.ok() ? answer.out.substr(0, answer.out.find('\n')) : std::string();
    if (part.empty()) continue;
    // Without a slash it is not the compiler's own but the one in PATH.
    const std::optional<Path> path = part.find('/') == part.npos ? host.which(part) : Path(part);
    if (path && host.exists(*path)) parts.emplace_back(arguments.front(), *path);
  }
  return parts;
}

}  // namespace

Toolchain identify_toolchain(Host& host, const guest::BuildRules& rules, const guest::Values& config,
                             const guest::Variables& variables, FileHashes& hashes, CompilerParts& parts) {
  Toolchain toolchain;
  Digest digest;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name, const Path& program) {
    digest.add(name).add(hashes.of(program));
  };
  const std::vector<std::string> programs = rules.tools(config, variables);
  for (const std::string& program : programs) {
    if (!seen.insert(program).second) continue;
    const std::optional<Path> path = host.which(program);
    if (!path)
      throw HostError({.attempted = "find the tools that build the kernel",
                       .reason = fmt::format("{} is not there", program),
                       .hint = fmt::format("apt-get install {}", package_of(program)),
                       .log = {}});
    add(program, *path);
  }
  // The driver's own bytes say little about what compiles.
  const auto [known, fresh] = parts.try_emplace(programs.front());
  if (fresh) known->second = parts_of(host, rules, programs.front());
  for (const auto& [question, part] : known->second) add(question, part);
  hashes.save();
  toolchain.id = digest.hex();
  return toolchain;
}

}  // namespace kdev
