#pragma once
#include <kdev/crash.hpp>
#include <kdev/kernel_artifact.hpp>
#include <vector>

#include "guest/symbol_rules.hpp"

namespace kdev::vm {

/// The files of a kernel's own modules.
std::vector<Path> module_files(const KernelArtifact& kernel, const guest::SymbolRules& rules);
/// Where the symbols of a guest's crash are: its kernel, with the kernel's own modules, and modules that were
/// added.
SymbolSources symbol_sources(const KernelArtifact& kernel, const std::vector<ModuleArtifact>& extra);

}  // namespace kdev::vm
