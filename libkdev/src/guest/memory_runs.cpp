#include "guest/memory_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <kdev/error.hpp>

namespace kdev::guest {
namespace {

template <class Run>
void check_room(const std::vector<Run>& runs) {
  if (runs.size() >= max_runs)
    throw FormatError({.attempted = "list the memory of a dump",
                       .reason = fmt::format("it is in more than {} pieces", max_runs),
                       .hint = "",
                       .log = {}});
}

/// The first that ends behind an address.
template <class Ranges>
auto first_behind(const Ranges& ranges, std::uint64_t address) {
  return std::upper_bound(ranges.begin(), ranges.end(), address,
                          [](std::uint64_t a, const MemoryRange& r) { return a < r.end(); });
}

}  // namespace

void add_run(std::vector<MemoryRange>& ranges, MemoryRange range) {
  if (range.size == 0) return;
  if (!ranges.empty() && ranges.back().end() == range.address) {
    ranges.back().size += range.size;
    return;
  }
  check_room(ranges);
  ranges.push_back(range);
}

void add_run(std::vector<Mapping>& mappings, Mapping mapping) {
  if (mapping.size == 0) return;
  if (!mappings.empty()) {
    auto& last = mappings.back();
    if (last.address + last.size == mapping.address && last.physical + last.size == mapping.physical) {
      last.size += mapping.size;
      return;
    }
  }
  check_room(mappings);
  mappings.push_back(mapping);
}

std::vector<MemoryRange> merged(std::vector<MemoryRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const MemoryRange& a, const MemoryRange& b) { return a.address < b.address; });
  std::vector<MemoryRange> out;
  for (auto& r : ranges) {
    if (!out.empty() && r.address < out.back().end()) {
      const auto known = std::min(r.size, out.back().end() - r.address);
      r.address += known;
      r.size -= known;
    }
    add_run(out, r);
  }
  return out;
}

std::vector<MemoryRange> without(const std::vector<MemoryRange>& all, const std::vector<MemoryRange>& taken) {
  std::vector<MemoryRange> out;
  auto gap = taken.begin();
  for (const auto& r : all) {
    auto at = r.address;
    while (gap != taken.end() && gap->end() <= at) ++gap;
    for (auto g = gap; g != taken.end() && g->address < r.end(); ++g) {
      if (g->address > at) add_run(out, {at, g->address - at});
      at = std::max(at, std::min(g->end(), r.end()));
    }
    if (at < r.end()) add_run(out, {at, r.end() - at});
  }
  return out;
}

std::vector<Mapping> within(const std::vector<Mapping>& mappings, const std::vector<MemoryRange>& ranges) {
  std::vector<Mapping> out;
  for (const auto& m : mappings) {
    const auto end = m.physical + m.size;
    for (auto r = first_behind(ranges, m.physical); r != ranges.end() && r->address < end; ++r) {
      const auto low = std::max(m.physical, r->address), high = std::min(end, r->end());
      add_run(out, {m.address + (low - m.physical), low, high - low});
    }
  }
  return out;
}

}  // namespace kdev::guest
