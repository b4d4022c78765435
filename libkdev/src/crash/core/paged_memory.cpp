#include "crash/core/paged_memory.hpp"

#include <algorithm>

#include "common/page_table.hpp"
#include "crash/core/page_walk.hpp"

namespace kdev::crash {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::size_t max_known = 1u << 16;

}  // namespace

void PagedMemory::set_page_tables(std::uint64_t top, int levels) {
  const std::lock_guard lock(mutex_);
  top_ = top;
  levels_ = levels;
  known_.clear();
}

/// A structure is read member by member: its page is looked up once.
std::optional<std::uint64_t> PagedMemory::page_at(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  if (const auto it = known_.find(address); it != known_.end()) return it->second;
  const auto physical =
      translate_x86_64([this](std::uint64_t a, void* p, std::size_t k) { return read_physical(a, p, k); },
                       *top_, address, levels_);
  if (physical) {
    if (known_.size() >= max_known) known_.clear();
    known_.emplace(address, *physical);
  }
  return physical;
}

bool PagedMemory::read_virtual(std::uint64_t address, void* to, std::size_t size) const {
  if (!top_) return false;
  char* out = static_cast<char*>(to);
  while (size) {
    const auto within = address % page;
    const auto n = std::min<std::uint64_t>(size, page - within);
    const auto physical = page_at(address - within);
    if (!physical || !read_physical(*physical + within, out, n)) return false;
    out += n;
    address += n;
    size -= n;
    if (size && !address) return false;  // past the end of the address space
  }
  return true;
}

std::vector<guest::Mapping> PagedMemory::kernel_mappings(const Deadline& deadline) const {
  if (!top_) return {};
  return kernel_mappings_x86_64(
      [this](std::uint64_t a, void* p, std::size_t k) { return read_physical(a, p, k); }, *top_, levels_,
      deadline);
}

}  // namespace kdev::crash
