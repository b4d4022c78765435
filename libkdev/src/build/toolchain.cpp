#include "build/toolchain.hpp"

#include <fmt/format.h>

#include <boost/filesystem/operations.hpp>
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

}  // namespace

Toolchain identify_toolchain(Host& host, const guest::BuildRules& rules, const guest::Values& config,
                             const guest::Variables& variables, FileHashes& hashes) {
  Toolchain toolchain;
  Digest digest;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name, const Path& program) {
    boost::system::error_code error;
    const Path path = boost::filesystem::canonical(program, error);
    Tool tool{name, error ? program : path, hashes.of(program)};
    digest.add(tool.name).add(tool.hash);
    toolchain.tools.push_back(std::move(tool));
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
  // The compiler's own parts: the driver's bytes say little about what compiles.
  for (const std::vector<std::string>& arguments : rules.compiler_parts()) {
    Command ask{.argv = {programs.front()}};
    ask.argv.insert(ask.argv.end(), arguments.begin(), arguments.end());
    ProcessResult answer = host.run(ask);
    std::string part = answer.ok() ? answer.out.substr(0, answer.out.find('\n')) : std::string();
    if (part.empty()) continue;
    if (part.find('/') == part.npos) {  // not its own: the one in PATH
      const std::optional<Path> found = host.which(part);
      if (!found) continue;
      part = found->string();
    }
    if (host.exists(part)) add(arguments.front(), part);
  }
  hashes.save();
  toolchain.id = digest.hex();
  return toolchain;
}

}  // namespace kdev
