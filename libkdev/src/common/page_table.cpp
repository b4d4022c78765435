#include "common/page_table.hpp"

namespace kdev {

std::optional<std::uint64_t> translate_x86_64(const ReadPhysical& read, std::uint64_t top,
                                              std::uint64_t address) {
  constexpr std::uint64_t present = 1, large = 0x80, frame = 0x000ffffffffff000;
  // Canonical: bits 63 to 47 are alike.
  if (const auto high = address >> 47; high != 0 && high != 0x1ffff) return std::nullopt;
  std::uint64_t entry = top;
  for (int shift = 39; shift >= 12; shift -= 9) {
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
