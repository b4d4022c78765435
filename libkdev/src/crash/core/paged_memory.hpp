#pragma once
#include <mutex>
#include <optional>
#include <unordered_map>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// A dump of physical memory, in which the kernel's own page tables lead to virtual addresses once they have
/// been found.
class PagedMemory : public guest::CoreMemory {
 public:
  bool read_virtual(std::uint64_t address, void* to, std::size_t size) const override;
  bool needs_page_tables() const override { return !top_; }
  void set_page_tables(std::uint64_t top, int levels) override;
  std::vector<guest::Mapping> kernel_mappings(const Deadline& deadline) const override;

 private:
  std::optional<std::uint64_t> page_at(std::uint64_t address) const;

  std::optional<std::uint64_t> top_;
  int levels_ = 4;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::uint64_t, std::uint64_t> known_;  // pages, by their virtual address
};

}  // namespace kdev::crash
