#pragma once
// Files that a debugger of a VM needs.
#include <kdev/kernel_artifact.hpp>
#include <kdev/vm.hpp>
#include <vector>

#include "guest/symbol_rules.hpp"

namespace kdev::vm {

/// Modules of the kernel's own, then `given`: of two with one name the last one counts.
std::vector<Path> module_files(const KernelArtifact& kernel, const std::vector<Path>& given,
                               const guest::SymbolRules& rules);

/// Writes into a VM's folder what other processes need to know to debug it. running_vm.cpp
void describe_running(const Path& dir, const VmSpec& spec, const KernelArtifact& kernel);

}  // namespace kdev::vm
