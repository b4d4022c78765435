#include "crash/core/page_walk.hpp"

#include <array>
#include <unordered_set>

namespace kdev::crash {
namespace {

// Intel SDM, volume 3, 4.5.
constexpr std::uint64_t present = 1, large = 0x80, frame = 0x000ffffffffff000;
constexpr std::size_t entries = 512;

class Walk {
 public:
  Walk(const ReadPhysical& read, const Deadline& deadline) : read_(read), deadline_(deadline) {}

  /// `shift`: of the addresses that an entry of this table stands for.
  void table(std::uint64_t at, std::uint64_t address, int shift, std::size_t first) {
    if (!seen_.insert(at).second) return;
    deadline_.check("walk the page tables of a dump");
    std::array<std::uint64_t, entries> table;
    if (!read_(at, table.data(), sizeof(table))) return;
    for (std::size_t i = first; i < entries; ++i) {
      const auto entry = table[i];
      if (!(entry & present)) continue;
      const auto there = address + (std::uint64_t{i} << shift), size = std::uint64_t{1} << shift;
      if (shift == 12 || (shift < 39 && entry & large))
        guest::add_run(found, {there, entry & frame & ~(size - 1), size});
      else
        this->table(entry & frame, there, shift - 9, 0);
    }
  }

  std::vector<guest::Mapping> found;

 private:
  const ReadPhysical& read_;
  const Deadline& deadline_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

std::vector<guest::Mapping> kernel_mappings_x86_64(const ReadPhysical& read, std::uint64_t top, int levels,
                                                   const Deadline& deadline) {
  if (levels != 4 && levels != 5) return {};
  const int shift = 12 + 9 * (levels - 1);
  Walk walk(read, deadline);
  // Canonical: the bits above those that are translated are like the highest of these.
  walk.table(top & frame, ~std::uint64_t{0} << (shift + 9), shift, entries / 2);
  return std::move(walk.found);
}

}  // namespace kdev::crash
