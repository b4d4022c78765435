// Minidumps of amd64 (sys/amd64/include/minidump.h): the page tables are the entries for the kernel's
// addresses from kernbase on: of 4 KiB pages in version 1, of 2 MiB since. Since version 3 there is a
// dump_avail.
#include <fmt/format.h>

#include <array>

#include "guest/freebsd/core_minidump.hpp"
#include "guest/freebsd/minidump.hpp"

namespace kdev::guest {
namespace {

constexpr std::uint64_t page_size = 4096;
// Page table entries (amd64/include/pmap.h).
constexpr std::uint64_t valid = 1, large = 0x80, frame = 0x000ffffffffff000, large_frame = 0x000fffffffe00000;

struct Header {
  char magic[24];
  std::uint32_t version, message_size, bitmap_size, directory_size;
  std::uint64_t kernel_base, direct_base, direct_end;
  std::uint32_t ranges_size;
};

MinidumpParts parts_of(const Header& h) {
  MinidumpParts parts{.version = h.version,
                      .page = page_size,
                      .messages = h.message_size,
                      .bitmap = h.bitmap_size,
                      .tables = h.directory_size};
  if (h.version >= 3) parts.ranges = h.ranges_size;
  return parts;
}

class Amd64Minidump final : public Minidump {
 public:
  Amd64Minidump(const CoreBytes& bytes, const Header& header)
      : Minidump(bytes, parts_of(header)), header_(header) {}
  std::string arch() const override { return "x86_64"; }
  std::vector<Mapping> kernel_mappings(const Deadline& deadline) const override;

 private:
  std::optional<std::uint64_t> translate(std::uint64_t address) const override;
  void add_table(std::uint64_t at, std::uint64_t address, std::vector<Mapping>& found) const;

  Header header_;
};

std::optional<std::uint64_t> Amd64Minidump::translate(std::uint64_t address) const {
  if (address >= header_.direct_base && address < header_.direct_end) return address - header_.direct_base;
  if (address < header_.kernel_base) return std::nullopt;
  const auto distance = address - header_.kernel_base;
  if (header_.version == 1) {
    const auto pte = table_entry(distance / page_size);
    return pte && *pte & valid ? std::optional((*pte & frame) + address % page_size) : std::nullopt;
  }
  const auto pde = table_entry(distance >> 21);
  if (!pde || !(*pde & valid)) return std::nullopt;
  if (*pde & large) return (*pde & large_frame) + (address & 0x1fffff);
  std::uint64_t pte = 0;
  if (!read_physical((*pde & frame) + (address >> 12 & 511) * 8, &pte, 8) || !(pte & valid))
    return std::nullopt;
  return (pte & frame) + address % page_size;
}

std::vector<Mapping> Amd64Minidump::kernel_mappings(const Deadline& deadline) const {
  std::vector<Mapping> found;
  add_run(found, Mapping{header_.direct_base, 0, header_.direct_end - header_.direct_base});
  const std::uint64_t step = header_.version == 1 ? page_size : std::uint64_t{1} << 21;
  walk_table(deadline, [&](std::uint64_t i, std::uint64_t entry) {
    const auto address = header_.kernel_base + i * step;
    if (address < header_.kernel_base) return false;  // past the end of the address space
    if (!(entry & valid)) return true;
    if (header_.version == 1)
      add_run(found, Mapping{address, entry & frame, page_size});
    else if (entry & large)
      add_run(found, Mapping{address, entry & large_frame, step});
    else
      add_table(entry & frame, address, found);
    return true;
  });
  return found;
}

void Amd64Minidump::add_table(std::uint64_t at, std::uint64_t address, std::vector<Mapping>& found) const {
  std::array<std::uint64_t, 512> table;
  if (!read_physical(at, table.data(), sizeof(table))) return;
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i] & valid) add_run(found, Mapping{address + i * page_size, table[i] & frame, page_size});
}

}  // namespace

std::unique_ptr<CoreMemory> open_amd64_minidump(const CoreBytes& bytes) {
  if (!begins_minidump(bytes, "minidump FreeBSD/amd64")) return nullptr;
  Header header{};
  read_minidump_header(bytes, &header, sizeof(header));
  if (header.version < 1 || header.version > 3)
    refuse_minidump(fmt::format("version {} is not known", header.version));
  if (header.direct_end < header.direct_base || header.kernel_base < header.direct_end)
    refuse_minidump(fmt::format("its addresses make no sense: kernel {:#x}, direct map {:#x} to {:#x}",
                                header.kernel_base, header.direct_base, header.direct_end));
  return std::make_unique<Amd64Minidump>(bytes, header);
}

}  // namespace kdev::guest
