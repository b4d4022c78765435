#pragma once
#include <cstdint>
#include <functional>
#include <optional>

namespace kdev {

/// Reads physical memory: all of it, or false.
using ReadPhysical = std::function<bool(std::uint64_t address, void* to, std::size_t size)>;

/// Physical address behind a virtual one by page tables of x86-64 (Intel SDM, volume 3, 4.5) with four or
/// five `levels`, `top` being the physical address of the PML4 or PML5; nothing: it is not mapped.
std::optional<std::uint64_t> translate_x86_64(const ReadPhysical& read, std::uint64_t top,
                                              std::uint64_t address, int levels = 4);

}  // namespace kdev
