#pragma once
// Kdump-compressed files (diskdump_mod.h of makedumpfile and crash), in blocks of a page:
//   header | sub header, notes | bitmap of pages that there are | bitmap of pages in the file |
//   a descriptor for each of the latter | what these point to
#include <cstdint>
#include <string_view>

namespace kdev::crash {

constexpr std::string_view kdump_signature = "KDUMP   ";
/// The newest.
constexpr std::int32_t kdump_version = 6;
/// Bytes of a block.
constexpr std::uint64_t kdump_page = 4096;

/// struct disk_dump_header.
struct KdumpFileHeader {
  char signature[8];
  std::int32_t version;
  char names[6][65];  ///< struct new_utsname; the fifth is the machine
  std::int64_t seconds, microseconds;
  std::uint32_t status;  ///< flags of KdumpPage
  std::int32_t block_size, sub_header_blocks;
  std::uint32_t bitmap_blocks, max_page, ram_blocks, device_blocks, written_blocks, current_cpu;
  std::int32_t cpus;
};
static_assert(sizeof(KdumpFileHeader) == 464);

/// struct kdump_sub_header, in the next block; what later versions added is 0 in earlier ones' padding.
struct KdumpSubHeader {
  std::uint64_t phys_base;
  std::int32_t dump_level, split;
  std::uint64_t start_page, end_page, vmcoreinfo_at, vmcoreinfo_size, notes_at, notes_size, erase_at,
      erase_size, start_page_64, end_page_64, max_page_64;
};
static_assert(sizeof(KdumpSubHeader) == 104);

/// What makedumpfile calls its dump levels.
constexpr std::int32_t kdump_without_cache = 2 | 4, kdump_without_user = 8, kdump_without_free = 16;

/// struct page_desc.
struct KdumpPage {
  static constexpr std::uint32_t zlib = 1, lzo = 2, snappy = 4, zstd = 0x20;  ///< flags
  static constexpr std::uint32_t packed = zlib | lzo | snappy | zstd;
  std::uint64_t offset;
  std::uint32_t size, flags;
  std::uint64_t page_flags;
};
static_assert(sizeof(KdumpPage) == 24);

}  // namespace kdev::crash
