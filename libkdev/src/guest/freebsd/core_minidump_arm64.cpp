// Minidumps of arm64 (sys/arm64/include/minidump.h): the page tables are the level 3 entries of all of the
// kernel's addresses from kernbase on, those of blocks written out. Since version 2 there is a dump_avail,
// since version 3 the size of pages.
#include <fmt/format.h>

#include "guest/freebsd/core_minidump.hpp"
#include "guest/freebsd/minidump.hpp"

namespace kdev::guest {
namespace {

// Page table entries (arm64/include/pte.h): L3_PAGE in ATTR_DESCR_MASK, ~ATTR_MASK.
constexpr std::uint64_t kind = 3, is_page = 3, frame = 0x0003fffffffff000;
/// MINIDUMP_FLAG_PS_MASK, MINIDUMP_FLAG_PS_16K; 0 is 4 KiB.
constexpr std::uint32_t page_flags = 3, page_16k = 1;
constexpr std::uint64_t most_memory = frame + 4096;

struct Header {
  char magic[24];
  std::uint32_t version, message_size, bitmap_size, tables_size;
  std::uint64_t kernel_base, direct_physical, direct_base, direct_end;
  std::uint32_t ranges_size, flags;
};

MinidumpParts parts_of(const Header& h) {
  MinidumpParts parts{
      .version = h.version,
      .page = h.version >= 3 && (h.flags & page_flags) == page_16k ? std::uint64_t{16384} : 4096,
      .messages = h.message_size,
      .bitmap = h.bitmap_size,
      .tables = h.tables_size};
  if (h.version >= 2) parts.ranges = h.ranges_size;
  return parts;
}

class Arm64Minidump final : public Minidump {
 public:
  Arm64Minidump(const CoreBytes& bytes, const Header& header)
      : Minidump(bytes, parts_of(header)), header_(header) {}
  std::string arch() const override { return "aarch64"; }

  std::vector<Mapping> kernel_mappings(const Deadline& deadline) const override {
    std::vector<Mapping> found;
    const Mapping direct{header_.direct_base, header_.direct_physical,
                         header_.direct_end - header_.direct_base};
    bool added = direct.size == 0;
    walk_table(deadline, [&](std::uint64_t i, std::uint64_t entry) {
      const auto address = header_.kernel_base + i * page();
      if (address < header_.kernel_base) return false;  // past the end of the address space
      if (!added && address >= direct.address) {
        add_run(found, direct);
        added = true;
      }
      if ((entry & kind) == is_page && !in_direct_map(address))
        add_run(found, Mapping{address, frame_of(entry), page()});
      return true;
    });
    if (!added) add_run(found, direct);
    return found;
  }

 private:
  bool in_direct_map(std::uint64_t address) const {
    return address >= header_.direct_base && address < header_.direct_end;
  }
  std::uint64_t frame_of(std::uint64_t entry) const { return entry & frame & ~(page() - 1); }

  std::optional<std::uint64_t> translate(std::uint64_t address) const override {
    if (in_direct_map(address)) return address - header_.direct_base + header_.direct_physical;
    if (address < header_.kernel_base) return std::nullopt;
    const auto entry = table_entry((address - header_.kernel_base) / page());
    if (!entry || (*entry & kind) != is_page) return std::nullopt;
    return frame_of(*entry) + address % page();
  }

  Header header_;
};

/// Only what lies apart can be told apart: no page of the kernel is half in the direct map.
bool sensible(const Header& h, std::uint64_t page) {
  return h.direct_base <= h.direct_end && h.direct_physical <= most_memory &&
         h.direct_end - h.direct_base <= UINT64_MAX - h.direct_physical &&
         (h.kernel_base | h.direct_base | h.direct_end | h.direct_physical) % page == 0;
}

}  // namespace

std::unique_ptr<CoreMemory> open_arm64_minidump(const CoreBytes& bytes) {
  if (!begins_minidump(bytes, "minidump FreeBSD/arm64")) return nullptr;
  Header header{};
  read_minidump_header(bytes, &header, sizeof(header));
  if (header.version < 1 || header.version > 3)
    refuse_minidump(fmt::format("version {} is not known", header.version));
  if (header.version >= 3 && (header.flags & page_flags) > page_16k)
    refuse_minidump(fmt::format("its size of pages is not known: flags {:#x}", header.flags));
  if (!sensible(header, parts_of(header).page))
    refuse_minidump(
        fmt::format("its addresses make no sense: kernel {:#x}, direct map {:#x} to {:#x} of physical {:#x}",
                    header.kernel_base, header.direct_base, header.direct_end, header.direct_physical));
  return std::make_unique<Arm64Minidump>(bytes, header);
}

}  // namespace kdev::guest
