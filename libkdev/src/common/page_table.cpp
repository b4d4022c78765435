#include "common/page_table.hpp"

namespace kdev {

std::optional<std::uint64_t> translate_x86_64(const ReadPhysical& read, std::uint64_t top,
                                              std::uint64_t address, int levels) {
  constexpr std::uint64_t present = 1, large = 0x80, frame = 0x000ffffffffff000;
  if (levels != 4 && levels != 5) return std::nullopt;
  const int top_shift = 12 + 9 * (levels - 1);
  // Canonical: the bits above those that are translated are like the highest of these.
  const auto high = static_cast<std::int64_t>(address) >> (top_shift + 8);
  if (high != 0 && high != -1) return std::nullopt;
  std::uint64_t entry = top;
  for (int shift = top_shift; shift >= 12; shift -= 9) {
    if (!read((entry & frame) + (address >> shift & 511) * 8, &entry, 8) || !(entry & present))
      return std::nullopt;
    if (shift == 12 || (shift < 39 && entry & large)) {
      const auto mask = (std::uint64_t{1} << shift) - 1;
      return (entry & frame & ~mask) | (address & mask);
    }
  }
  return std::nullopt;
}

}  // namespace kdev
