#pragma once
// The file of a symbol index: this header, a sum for each block of the body, the body. The body is the parts,
// one after the other, each of records of one size. Numbers are the host's; another byte order is another
// version.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kdev::crash {

enum class IndexPart { starts, rows, nodes, symbols, units, sections, strings, count };
constexpr std::size_t index_parts = static_cast<std::size_t>(IndexPart::count);

constexpr std::uint32_t index_none = 0xffffffff;

/// What holds from an address (the one in `starts` with the same number) to the next one's.
struct IndexRow {
  std::uint32_t node = index_none;  ///< the innermost function; none: no function is there, maybe a line
  std::uint32_t file = 0;           ///< of the instruction
  std::uint32_t line = 0;
};

/// A function, or an inlined one where it was inlined.
struct IndexNode {
  std::uint32_t parent = index_none;  ///< what it was inlined in, a smaller number; none: it was not
  std::uint32_t name = 0;
  std::uint32_t file = 0, line = 0;  ///< of the call
};

struct IndexSymbol {
  std::uint64_t address = 0, size = 0, extent = 0;
  std::uint32_t name = 0;
  std::uint8_t type = 0, function = 0;
  std::uint16_t reserved = 0;
};

/// Of a relocatable file: where it is in the addresses of this index.
struct IndexSection {
  std::uint64_t address = 0, size = 0;
  std::uint32_t name = 0, reserved = 0;
};

constexpr std::array<std::size_t, index_parts> index_record_size = {sizeof(std::uint64_t),
                                                                    sizeof(IndexRow),
                                                                    sizeof(IndexNode),
                                                                    sizeof(IndexSymbol),
                                                                    sizeof(std::uint32_t),
                                                                    sizeof(IndexSection),
                                                                    1};

struct IndexHeader {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t blocks = 0;
  std::uint64_t file_size = 0;
  std::array<char, 64> described{};  ///< what the index is of: describe() in index_cache.hpp
  std::array<std::uint64_t, index_parts> counts{};
  std::uint64_t sum = 0;  ///< of this header with a sum of 0, and of the sums behind it
};

constexpr std::array<char, 8> index_magic = {'k', 'd', 'e', 'v', 's', 'y', 'm', '\n'};
// To be raised with every change of the format, and of what DebugInfo::expand() finds.
constexpr std::uint32_t index_version = 3;
// A page: of a file that a few addresses are looked up in, most is never touched.
constexpr std::size_t index_block = 4096;

/// Finds damage; no defence against whoever can write the file.
inline std::uint64_t index_sum(std::string_view bytes, std::uint64_t sum = 0) {
  const auto mix = [&](std::uint64_t word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
    sum ^= sum >> 32;
  };
  mix(bytes.size());
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, bytes.data() + i, 8);
    mix(word);
  }
  std::uint64_t word = 0;
  __builtin_memcpy(&word, bytes.data() + i, bytes.size() - i);
  mix(word);
  return sum;
}

/// Header, sums and body in one: what is written. `header` has magic, version, described and counts.
std::string index_file(IndexHeader header, std::string_view body);

}  // namespace kdev::crash
