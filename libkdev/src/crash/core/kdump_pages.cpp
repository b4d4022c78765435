#include "crash/core/kdump_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace kdev::crash {
namespace {

constexpr std::uint64_t pages_of_block = kdump_page * 8;
constexpr std::uint64_t descriptors_at_once = 1 << 12;
// Pages that were expanded are kept, each in a place of its own.
constexpr std::size_t most_kept = 1024;

}  // namespace

KdumpPages::KdumpPages(const FileBytes& bytes, const Layout& layout) : bytes_(bytes), layout_(layout) {
  kept_.resize(most_kept);
  const std::uint64_t blocks = (layout.descriptors_at - layout.written_at) / kdump_page;
  const std::uint64_t end = std::min(layout.end, blocks * pages_of_block);
  std::vector<KdumpPage> list;
  std::uint64_t descriptor = 0, list_begin = 0, too_long = 0, lzo_pages = 0;
  bool cut = false, incomplete = false;
  for (auto block = layout.first / pages_of_block; block * pages_of_block < end && !cut; ++block) {
    before_.push_back(descriptor);
    const auto bits = bitmap_block(block);
    if (bits.empty()) cut = true, described_ = block * pages_of_block;
    for (std::size_t word = 0; word < bits.size() && !cut; ++word)
      for (auto rest = bits[word]; rest; rest &= rest - 1) {
        const auto page =
            block * pages_of_block + word * 64 + static_cast<std::uint64_t>(std::countr_zero(rest));
        const auto index = descriptor++;
        if (index >= list_begin + list.size()) {
          const auto at = layout.descriptors_at + index * sizeof(KdumpPage);
          const auto there = at < bytes.size() ? (bytes.size() - at) / sizeof(KdumpPage) : 0;
          list_begin = index;
          list.resize(std::min(there, descriptors_at_once));
          if (list.empty() || !bytes.read(at, list.data(), list.size() * sizeof(KdumpPage))) {
            cut = true;
            described_ = page;
            break;
          }
        }
        const auto& d = list[index - list_begin];
        incomplete = incomplete || d.offset > bytes.size() || d.size > bytes.size() - d.offset;
        too_long += d.size > kdump_page;
        lzo_pages += (d.flags & KdumpPage::packed) == KdumpPage::lzo;
      }
  }
  if (cut || incomplete) problems_.push_back("the file is cut off: not all of its memory is there");
  if (too_long)
    problems_.push_back(fmt::format("the file is damaged: {} pages are longer than a page", too_long));
  if (lzo_pages && !can_expand_lzo())
    problems_.push_back(fmt::format(
        "{} pages cannot be read: LZO has packed them, and its library is missing (apt install liblzo2-2)",
        lzo_pages));
}

std::vector<std::uint64_t> KdumpPages::bitmap_block(std::uint64_t block) const {
  std::vector<std::uint64_t> bits(kdump_page / 8);
  if (!bytes_.read(layout_.written_at + block * kdump_page, bits.data(), kdump_page)) return {};
  // The bitmap is of the whole dump; pages of other files of it have no descriptors here.
  for (std::size_t word = 0; word < bits.size(); ++word) {
    const std::uint64_t begin = block * pages_of_block + word * 64;
    if (begin >= layout_.end || begin + 64 <= layout_.first) {
      bits[word] = 0;
      continue;
    }
    if (begin < layout_.first) bits[word] &= ~std::uint64_t{0} << (layout_.first - begin);
    if (layout_.end - begin < 64) bits[word] &= (std::uint64_t{1} << (layout_.end - begin)) - 1;
  }
  return bits;
}

bool KdumpPages::expand(std::uint64_t page, char* to) const {
  if (page < layout_.first || page >= layout_.end || page >= described_) return false;
  const std::uint64_t block = page / pages_of_block, first_block = layout_.first / pages_of_block;
  if (block - first_block >= before_.size()) return false;
  if (block_ != block) {
    bits_ = bitmap_block(block);
    block_ = bits_.empty() ? UINT64_MAX : block;
    if (bits_.empty()) return false;
  }
  const std::uint64_t bit = page % pages_of_block;
  if (!(bits_[bit / 64] >> bit % 64 & 1)) return false;
  std::uint64_t index = before_[block - first_block];
  for (std::uint64_t word = 0; word < bit / 64; ++word)
    index += static_cast<std::uint64_t>(std::popcount(bits_[word]));
  index += static_cast<std::uint64_t>(std::popcount(bits_[bit / 64] & ((std::uint64_t{1} << bit % 64) - 1)));
  KdumpPage d{};
  if (!bytes_.read(layout_.descriptors_at + index * sizeof(d), &d, sizeof(d)) || d.size > kdump_page)
    return false;
  std::array<char, kdump_page> packed;
  return bytes_.read(d.offset, packed.data(), d.size) &&
         expand_kdump_page(d.flags, std::string_view(packed.data(), d.size), to);
}

bool KdumpPages::read(std::uint64_t page, std::size_t from, void* to, std::size_t size) const {
  const std::lock_guard lock(mutex_);
  auto& place = kept_[page % most_kept];
  if (!place) place = std::make_unique<Kept>();
  if (place->page != page) {
    place->page = UINT64_MAX;
    if (!expand(page, place->bytes.data())) return false;
    place->page = page;
  }
  std::memcpy(to, place->bytes.data() + from, size);
  return true;
}

}  // namespace kdev::crash
