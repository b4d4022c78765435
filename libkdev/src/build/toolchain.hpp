#pragma once
// Which compiler, linker and helpers a build uses, by their bytes.
#include <kdev/host.hpp>
#include <map>
#include <string>
#include <vector>

#include "build/file_hashes.hpp"
#include "guest/build_rules.hpp"

namespace kdev {

struct Toolchain {
  std::string id;  ///< digest over names and bytes; not over paths: the same compiler elsewhere is the same
};

/// Where compilers have their parts, by compiler: asked once. Each with the
/// question that it answers.
using CompilerParts = std::map<std::string, std::vector<std::pair<std::string, Path>>>;

/// HostError, with what to install, when one is missing.
Toolchain identify_toolchain(Host& host, const guest::BuildRules& rules, const guest::Values& config,
                             const guest::Variables& variables, FileHashes& hashes, CompilerParts& parts);

}  // namespace kdev
