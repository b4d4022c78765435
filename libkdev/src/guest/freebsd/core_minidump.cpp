// The file (cpu_minidumpsys in amd64/amd64/minidump_machdep.c), each part padded to pages:
//   struct minidumphdr | message buffer | version 3: dump_avail | bitmap | page directory | pages
// The bitmap has a bit for each page of physical memory, set when it was dumped; pages follow in that order.
// Since version 3 the bitmap covers only the ranges of dump_avail, one after the other. The page directory
// has the entries for the kernel's addresses from kernbase on: of 4 KiB pages in version 1, of 2 MiB since.
#include "guest/freebsd/core_minidump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <kdev/error.hpp>

namespace kdev::guest {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::string_view magic = "minidump FreeBSD/amd64";
// Page table entries (amd64/include/pmap.h).
constexpr std::uint64_t valid = 1, large = 0x80, frame = 0x000ffffffffff000, large_frame = 0x000fffffffe00000;

struct Header {
  char magic[24];
  std::uint32_t version, message_size, bitmap_size, directory_size;
  std::uint64_t kernel_base, direct_base, direct_end;
  std::uint32_t ranges_size;
};

std::uint64_t rounded(std::uint64_t size) {
  return (size + page - 1) / page * page;
}

class Minidump final : public CoreMemory {
 public:
  Minidump(const CoreBytes& bytes, const Header& header) : bytes_(bytes), header_(header) {
    message_at_ = page;
    std::uint64_t at = message_at_ + rounded(header.message_size);
    if (header.version >= 3) {
      read_ranges(at);
      at += rounded(header.ranges_size);
    } else {
      ranges_.push_back({0, std::uint64_t{header.bitmap_size} * 8 * page, 0});
    }
    read_bitmap(at);
    directory_at_ = at + rounded(header.bitmap_size);
    pages_at_ = directory_at_ + rounded(header.directory_size);
    const auto whole = pages_at_ + page * std::uint64_t{pages_before_.empty() ? 0 : pages_before_.back()};
    if (bytes.size() < whole)
      problems_.push_back(fmt::format(
          "the file is cut off: it has {} of {} bytes, the last pages are missing", bytes.size(), whole));
  }

  std::string format() const override { return fmt::format("minidump {}", header_.version); }
  std::string arch() const override { return "x86_64"; }
  std::vector<std::string> problems() const override { return problems_; }

  std::string raw_messages() const override {
    if (message_at_ > bytes_.size()) return {};
    std::string text(std::min<std::uint64_t>(header_.message_size, bytes_.size() - message_at_), '\0');
    return bytes_.read(message_at_, text.data(), text.size()) ? text : std::string();
  }

  std::vector<MemoryRange> physical_ranges() const override;
  std::vector<Mapping> kernel_mappings(const Deadline& deadline) const override;

  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    return by_page(address, to, size, [this](std::uint64_t a) { return place(a); });
  }
  bool read_virtual(std::uint64_t address, void* to, std::size_t size) const override {
    return by_page(address, to, size, [this](std::uint64_t a) {
      const auto physical = translate(a);
      return physical ? place(*physical) : std::nullopt;
    });
  }

 private:
  struct Range {
    std::uint64_t start, end;
    std::uint64_t first_bit;
  };

  template <class Place>
  bool by_page(std::uint64_t address, void* to, std::size_t size, Place&& place_of) const {
    char* out = static_cast<char*>(to);
    while (size) {
      const auto n = std::min<std::uint64_t>(size, page - address % page);
      const auto at = place_of(address);
      if (!at || !bytes_.read(*at, out, n)) return false;
      out += n;
      size -= n;
      address += n;
      if (size && !address) return false;  // past the end of the address space
    }
    return true;
  }

  void read_ranges(std::uint64_t at) {
    std::vector<std::uint64_t> numbers(std::min<std::uint64_t>(header_.ranges_size, 1 << 20) / 8);
    if (!bytes_.read(at, numbers.data(), numbers.size() * 8)) {
      problems_.push_back("the file is cut off before its list of memory ranges");
      return;
    }
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
      const auto start = numbers[i] / page * page, end = rounded(numbers[i + 1]);
      if (numbers[i] == 0 && numbers[i + 1] == 0) break;
      if (end <= start || end > frame || (!ranges_.empty() && start < ranges_.back().end)) {
        problems_.push_back("its list of memory ranges makes no sense");
        break;
      }
      ranges_.push_back({start, end, bits});
      bits += (end - start) / page;
    }
  }

  void read_bitmap(std::uint64_t at) {
    const auto there =
        at < bytes_.size() ? std::min<std::uint64_t>(header_.bitmap_size, bytes_.size() - at) : 0;
    bitmap_.resize((there + 7) / 8);
    if (!bytes_.read(at, bitmap_.data(), there)) bitmap_.clear();
    if (there < header_.bitmap_size) problems_.push_back("the file is cut off within its bitmap of pages");
    pages_before_.reserve(bitmap_.size() + 1);
    std::uint64_t count = 0;
    for (const auto word : bitmap_) {
      pages_before_.push_back(count);
      count += static_cast<std::uint64_t>(std::popcount(word));
    }
    pages_before_.push_back(count);
  }

  /// Where the byte of physical memory is in the file.
  std::optional<std::uint64_t> place(std::uint64_t address) const {
    auto it = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                               [](std::uint64_t a, const Range& r) { return a < r.start; });
    if (it == ranges_.begin() || address >= (--it)->end) return std::nullopt;
    const auto bit = it->first_bit + (address - it->start) / page;
    if (bit / 64 >= bitmap_.size() || !(bitmap_[bit / 64] >> (bit % 64) & 1)) return std::nullopt;
    const auto below = bitmap_[bit / 64] & ((std::uint64_t{1} << (bit % 64)) - 1);
    const auto index = pages_before_[bit / 64] + static_cast<std::uint64_t>(std::popcount(below));
    return pages_at_ + index * page + address % page;
  }

  std::optional<std::uint64_t> entry(std::uint64_t index) const {
    std::uint64_t value = 0;
    if (index >= header_.directory_size / 8 || !bytes_.read(directory_at_ + index * 8, &value, 8) ||
        !(value & valid))
      return std::nullopt;
    return value;
  }

  std::optional<std::uint64_t> translate(std::uint64_t address) const {
    if (address >= header_.direct_base && address < header_.direct_end) return address - header_.direct_base;
    if (address < header_.kernel_base) return std::nullopt;
    const auto distance = address - header_.kernel_base;
    if (header_.version == 1) {
      const auto pte = entry(distance / page);
      return pte ? std::optional((*pte & frame) + address % page) : std::nullopt;
    }
    const auto pde = entry(distance >> 21);
    if (!pde) return std::nullopt;
    if (*pde & large) return (*pde & large_frame) + (address & 0x1fffff);
    std::uint64_t pte = 0;
    if (!read_physical((*pde & frame) + (address >> 12 & 511) * 8, &pte, 8) || !(pte & valid))
      return std::nullopt;
    return (pte & frame) + address % page;
  }

  void add_table(std::uint64_t at, std::uint64_t address, std::vector<Mapping>& found) const;

  const CoreBytes& bytes_;
  Header header_;
  std::uint64_t message_at_ = 0, directory_at_ = 0, pages_at_ = 0;
  std::vector<Range> ranges_;  // sorted
  std::vector<std::uint64_t> bitmap_;
  std::vector<std::uint64_t> pages_before_;  // set bits before each word, and all
  std::vector<std::string> problems_;
};

std::vector<MemoryRange> Minidump::physical_ranges() const {
  std::vector<MemoryRange> ranges;
  for (const auto& r : ranges_) {
    const auto bits =
        std::min((r.end - r.start) / page, bitmap_.size() * 64 - std::min(bitmap_.size() * 64, r.first_bit));
    for (std::uint64_t i = 0; i < bits; ++i) {
      const auto bit = r.first_bit + i, word = bitmap_[bit / 64] >> (bit % 64);
      if (word == 0)
        i += 63 - bit % 64;
      else if (word & 1)
        add_run(ranges, MemoryRange{r.start + i * page, page});
    }
  }
  return ranges;
}

std::vector<Mapping> Minidump::kernel_mappings(const Deadline& deadline) const {
  std::vector<Mapping> found;
  add_run(found, Mapping{header_.direct_base, 0, header_.direct_end - header_.direct_base});
  const std::uint64_t step = header_.version == 1 ? page : std::uint64_t{1} << 21;
  std::vector<std::uint64_t> block(page / 8);
  for (std::uint64_t i = 0; i < header_.directory_size / 8; ++i) {
    if (i % block.size() == 0) {
      deadline.check("walk the page tables of a dump");
      const auto n = std::min<std::uint64_t>(block.size(), header_.directory_size / 8 - i);
      if (!bytes_.read(directory_at_ + i * 8, block.data(), n * 8)) break;
    }
    const auto entry = block[i % block.size()], address = header_.kernel_base + i * step;
    if (address < header_.kernel_base) break;  // past the end of the address space
    if (!(entry & valid)) continue;
    if (header_.version == 1)
      add_run(found, Mapping{address, entry & frame, page});
    else if (entry & large)
      add_run(found, Mapping{address, entry & large_frame, step});
    else
      add_table(entry & frame, address, found);
  }
  return found;
}

void Minidump::add_table(std::uint64_t at, std::uint64_t address, std::vector<Mapping>& found) const {
  std::array<std::uint64_t, 512> table;
  if (!read_physical(at, table.data(), sizeof(table))) return;
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i] & valid) add_run(found, Mapping{address + i * page, table[i] & frame, page});
}

}  // namespace

std::unique_ptr<CoreMemory> open_freebsd_minidump(const CoreBytes& bytes) {
  static_assert(std::endian::native == std::endian::little, "fields and page tables are read as they are");
  Header header{};
  char start[24] = {};
  if (!bytes.read(0, start, sizeof(start)) ||
      std::string_view(start, sizeof(start)).substr(0, magic.size() + 1) !=
          std::string_view(magic.data(), magic.size() + 1))
    return nullptr;
  const auto refuse = [](std::string reason) {
    throw FormatError({.attempted = "read a minidump", .reason = std::move(reason), .hint = "", .log = {}});
  };
  if (!bytes.read(0, &header, sizeof(header))) refuse("it is cut off within its header");
  if (header.version < 1 || header.version > 3)
    refuse(fmt::format("version {} is not known", header.version));
  if (header.version < 3) header.ranges_size = 0;
  if (header.direct_end < header.direct_base || header.kernel_base < header.direct_end)
    refuse(fmt::format("its addresses make no sense: kernel {:#x}, direct map {:#x} to {:#x}",
                       header.kernel_base, header.direct_base, header.direct_end));
  return std::make_unique<Minidump>(bytes, header);
}

}  // namespace kdev::guest
