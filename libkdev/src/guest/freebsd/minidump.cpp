#include "guest/freebsd/minidump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace kdev::guest {
namespace {

/// No machine has more physical memory: its addresses have 52 bits.
constexpr std::uint64_t most_memory = std::uint64_t{1} << 52;

}  // namespace

bool begins_minidump(const CoreBytes& bytes, std::string_view magic) {
  static_assert(std::endian::native == std::endian::little, "fields and page tables are read as they are");
  std::string start(magic.size() + 1, '\0');
  return bytes.read(0, start.data(), start.size()) && std::string_view(start.c_str()) == magic;
}

void refuse_minidump(std::string reason) {
  throw FormatError({.attempted = "read a minidump", .reason = std::move(reason), .hint = "", .log = {}});
}

void read_minidump_header(const CoreBytes& bytes, void* header, std::size_t size) {
  if (!bytes.read(0, header, size)) refuse_minidump("it is cut off within its header");
}

Minidump::Minidump(const CoreBytes& bytes, const MinidumpParts& parts) : bytes_(bytes), parts_(parts) {
  std::uint64_t at = page() + rounded(parts.messages);
  if (parts.ranges) {
    read_ranges(at);
    at += rounded(*parts.ranges);
  } else {
    ranges_.push_back({0, std::uint64_t{parts.bitmap} * 8 * page(), 0});
  }
  read_bitmap(at);
  tables_at_ = at + rounded(parts.bitmap);
  pages_at_ = tables_at_ + rounded(parts.tables);
  const auto whole = pages_at_ + page() * std::uint64_t{pages_before_.empty() ? 0 : pages_before_.back()};
  if (bytes.size() < whole)
    problems_.push_back(fmt::format("the file is cut off: it has {} of {} bytes, the last pages are missing",
                                    bytes.size(), whole));
}

std::string Minidump::format() const {
  return fmt::format("minidump {}", parts_.version);
}

std::string Minidump::raw_messages() const {
  if (page() > bytes_.size()) return {};
  std::string text(std::min<std::uint64_t>(parts_.messages, bytes_.size() - page()), '\0');
  return bytes_.read(page(), text.data(), text.size()) ? text : std::string();
}

template <class Place>
bool Minidump::by_page(std::uint64_t address, void* to, std::size_t size, Place&& place_of) const {
  char* out = static_cast<char*>(to);
  while (size) {
    const auto n = std::min<std::uint64_t>(size, page() - address % page());
    const auto at = place_of(address);
    if (!at || !bytes_.read(*at, out, n)) return false;
    out += n;
    size -= n;
    address += n;
    if (size && !address) return false;  // past the end of the address space
  }
  return true;
}

bool Minidump::read_physical(std::uint64_t address, void* to, std::size_t size) const {
  return by_page(address, to, size, [this](std::uint64_t a) { return place(a); });
}

bool Minidump::read_virtual(std::uint64_t address, void* to, std::size_t size) const {
  return by_page(address, to, size, [this](std::uint64_t a) {
    const auto physical = translate(a);
    return physical ? place(*physical) : std::nullopt;
  });
}

void Minidump::read_ranges(std::uint64_t at) {
  std::vector<std::uint64_t> numbers(std::min<std::uint64_t>(*parts_.ranges, 1 << 20) / 8);
  if (!bytes_.read(at, numbers.data(), numbers.size() * 8)) {
    problems_.push_back("the file is cut off before its list of memory ranges");
    return;
  }
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
    if (numbers[i] == 0 && numbers[i + 1] == 0) break;
    const auto start = numbers[i] / page() * page(), end = rounded(numbers[i + 1]);
    if (end <= start || end > most_memory || (!ranges_.empty() && start < ranges_.back().end)) {
      problems_.push_back("its list of memory ranges makes no sense");
      break;
    }
    ranges_.push_back({start, end, bits});
    bits += (end - start) / page();
  }
}

void Minidump::read_bitmap(std::uint64_t at) {
  const auto there = at < bytes_.size() ? std::min<std::uint64_t>(parts_.bitmap, bytes_.size() - at) : 0;
  bitmap_.resize((there + 7) / 8);
  if (!bytes_.read(at, bitmap_.data(), there)) bitmap_.clear();
  if (there < parts_.bitmap) problems_.push_back("the file is cut off within its bitmap of pages");
  pages_before_.reserve(bitmap_.size() + 1);
  std::uint64_t count = 0;
  for (const auto word : bitmap_) {
    pages_before_.push_back(count);
    count += static_cast<std::uint64_t>(std::popcount(word));
  }
  pages_before_.push_back(count);
}

std::optional<std::uint64_t> Minidump::place(std::uint64_t address) const {
  auto it = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                             [](std::uint64_t a, const Range& r) { return a < r.start; });
  if (it == ranges_.begin() || address >= (--it)->end) return std::nullopt;
  const auto bit = it->first_bit + (address - it->start) / page();
  if (bit / 64 >= bitmap_.size() || !(bitmap_[bit / 64] >> (bit % 64) & 1)) return std::nullopt;
  const auto below = bitmap_[bit / 64] & ((std::uint64_t{1} << (bit % 64)) - 1);
  const auto index = pages_before_[bit / 64] + static_cast<std::uint64_t>(std::popcount(below));
  return pages_at_ + index * page() + address % page();
}

std::optional<std::uint64_t> Minidump::table_entry(std::uint64_t index) const {
  std::uint64_t value = 0;
  if (index >= table_entries() || !bytes_.read(tables_at_ + index * 8, &value, 8)) return std::nullopt;
  return value;
}

std::vector<MemoryRange> Minidump::physical_ranges() const {
  std::vector<MemoryRange> ranges;
  for (const auto& r : ranges_) {
    const auto bits = std::min((r.end - r.start) / page(),
                               bitmap_.size() * 64 - std::min(bitmap_.size() * 64, r.first_bit));
    for (std::uint64_t i = 0; i < bits; ++i) {
      const auto bit = r.first_bit + i, word = bitmap_[bit / 64] >> (bit % 64);
      if (word == 0)
        i += 63 - bit % 64;
      else if (word & 1)
        add_run(ranges, MemoryRange{r.start + i * page(), page()});
    }
  }
  return ranges;
}

}  // namespace kdev::guest
