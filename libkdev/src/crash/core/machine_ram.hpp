#pragma once
#include <kdev/core.hpp>
#include <memory>

#include "guest/core_rules.hpp"
#include "hypervisor/hypervisor.hpp"

namespace kdev::crash {

/// A machine's memory, read where it lies; it stays for as long as the reader does, whatever becomes of the
/// machine. `cpu_notes`: see Machine; empty: not known. HostError.
std::unique_ptr<guest::CoreMemory> open_machine_ram(const hypervisor::MachineMemory& memory,
                                                    const std::string& cpu_notes);
/// The same of a machine that goes on.
std::unique_ptr<guest::CoreMemory> open_machine_ram(const hypervisor::MachineMemory& memory,
                                                    const std::vector<hypervisor::CpuRegisters>& cpus);

/// A Core of it. `name`: for messages. FormatError.
Core open_core(const std::string& name, std::unique_ptr<guest::CoreMemory> memory, SymbolSources symbols);

}  // namespace kdev::crash
