#pragma once
#include <kdev/crash.hpp>
#include <kdev/kernel_artifact.hpp>
#include <vector>

namespace kdev::vm {

/// Where the symbols of a guest's crash are: its kernel, the kernel's own modules, and those that were added.
SymbolSources symbol_sources(const KernelArtifact& kernel, const std::vector<ModuleArtifact>& extra);

}  // namespace kdev::vm
