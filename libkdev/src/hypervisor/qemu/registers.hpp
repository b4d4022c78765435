#pragma once
#include <string_view>
#include <vector>

#include "hypervisor/hypervisor.hpp"

namespace kdev::hypervisor {

/// What the monitor's "info registers -a" prints (x86_cpu_dump_state() in QEMU's target/i386/cpu-dump.c), CPU
/// by CPU. Empty: it is of another architecture, or none of it could be read.
std::vector<CpuRegisters> read_registers(std::string_view text);

}  // namespace kdev::hypervisor
