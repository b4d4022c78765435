#pragma once
#include <kdev/crash.hpp>
#include <kdev/kernel_artifact.hpp>
#include <vector>

namespace kdev::vm {

/// Where the symbols of a guest's crash are: its kernel, with the kernel's own modules, and modules that were
/// added.
SymbolSources symbol_sources(const KernelArtifact& kernel, const std::vector<ModuleArtifact>& extra);

}  // namespace kdev::vm
