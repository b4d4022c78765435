#pragma once
// Runs of memory: what a dump has, and what is mapped to what.
#include <cstdint>
#include <vector>

namespace kdev::guest {

/// Bytes of an address space. The last byte's address does not wrap.
struct MemoryRange {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t end() const { return address + size; }
  bool operator==(const MemoryRange&) const = default;
};

/// Virtual addresses, and the physical ones that they lead to, as long as both go on.
struct Mapping {
  std::uint64_t address = 0;
  std::uint64_t physical = 0;
  std::uint64_t size = 0;
  bool operator==(const Mapping&) const = default;
};

/// A dump with more is made to fill memory: it takes 64 GiB of which no two pages lie together.
constexpr std::size_t max_runs = 1u << 24;

/// Adds what lies behind all that is there; what goes on where the last one ends makes that longer.
/// FormatError for more than max_runs.
void add_run(std::vector<MemoryRange>& ranges, MemoryRange range);
void add_run(std::vector<Mapping>& mappings, Mapping mapping);

/// In order and apart from each other, from any.
std::vector<MemoryRange> merged(std::vector<MemoryRange> ranges);
/// What is not taken. Both are in order and apart from each other, as is what comes out.
std::vector<MemoryRange> without(const std::vector<MemoryRange>& all, const std::vector<MemoryRange>& taken);
/// The parts of mappings that lead to what is there; `ranges` in order and apart from each other.
std::vector<Mapping> within(const std::vector<Mapping>& mappings, const std::vector<MemoryRange>& ranges);

}  // namespace kdev::guest
