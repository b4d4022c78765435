#pragma once
#include <string_view>

#include "hypervisor/hypervisor.hpp"

namespace kdev::hypervisor {

/// Where in a guest's physical memory the backend `name` lies, ascending: from what QEMU's monitor answers to
/// "info mtree -f" (mtree_print_flatview() in its softmmu/memory.c). DebugError: there is no such backend.
std::vector<MemoryRange> read_memory_map(std::string_view text, std::string_view name);

}  // namespace kdev::hypervisor
