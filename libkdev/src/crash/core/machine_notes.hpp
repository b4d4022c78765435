#pragma once
#include <vector>

#include "guest/core_rules.hpp"
#include "hypervisor/hypervisor.hpp"

namespace kdev::crash {

/// The notes that a hypervisor's dump of an x86_64 machine would have for its CPUs.
std::vector<guest::CoreNote> machine_notes(const std::vector<hypervisor::CpuRegisters>& cpus);

}  // namespace kdev::crash
