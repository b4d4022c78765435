#pragma once
#include <kdev/deadline.hpp>
#include <vector>

#include "common/page_table.hpp"
#include "guest/memory_runs.hpp"

namespace kdev::crash {

/// What page tables of x86-64 map in the upper half of the address space, which is a kernel's; arguments as
/// of translate_x86_64(). A table that several entries lead to (shadow memory that nobody has written to,
/// tables that map themselves) is followed once, in the order of addresses. In order; also what is no memory.
std::vector<guest::Mapping> kernel_mappings_x86_64(const ReadPhysical& read, std::uint64_t top, int levels,
                                                   const Deadline& deadline);

}  // namespace kdev::crash
