// What a Linux kernel has in its pages, by its struct page (include/linux/mm_types.h).
#include <algorithm>
#include <cstring>

#include "guest/linux/core_facts.hpp"
#include "guest/linux/vmcoreinfo.hpp"

namespace kdev::guest {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::string_view unit = "mm/page_alloc.c", sparse_unit = "mm/sparse.c";
/// SECTION_SIZE_BITS in arch/x86/include/asm/sparsemem.h: memory that one struct mem_section is of.
constexpr std::uint64_t section_pages = (std::uint64_t{1} << 27) / page;
/// Below SECTION_MAP_LAST_BIT: flags in section_mem_map (include/linux/mmzone.h).
constexpr std::uint64_t section_flags = 0x3f, has_memory_map = 2;
/// PAGE_MAPPING_ANON in `mapping`; the same bit in compound_head says that the page is another's tail.
constexpr std::uint64_t anonymous = 1, is_tail = 1;
/// MAX_PAGE_ORDER on x86: blocks of free memory are no larger.
constexpr std::uint64_t max_order = 10;

struct Layout {
  std::uint64_t size, flags, mapcount, mapping, head, order, lru;
  std::uint32_t buddy;  ///< what _mapcount is of a free block's first page
};

std::optional<Layout> layout_of(const KernelView& view) {
  const auto info = Vmcoreinfo::of(view.memory());
  Layout layout{};
  const auto size = view.size_of("page", unit);
  const auto lru = info.number("PG_lru");
  const auto buddy = info.number("PAGE_BUDDY_MAPCOUNT_VALUE");
  if (!size || *size > page || !lru || *lru > 63 || !buddy) return std::nullopt;
  layout.size = *size;
  layout.lru = std::uint64_t{1} << *lru;
  layout.buddy = static_cast<std::uint32_t>(*buddy);
  struct Wanted {
    std::string_view name;
    std::uint64_t* offset;
    std::uint64_t size;
  };
  for (const auto& [name, offset, bytes] :
       {Wanted{"flags", &layout.flags, 8}, Wanted{"_mapcount", &layout.mapcount, 4},
        Wanted{"mapping", &layout.mapping, 8}, Wanted{"compound_head", &layout.head, 8},
        Wanted{"private", &layout.order, 8}}) {
    const auto member = view.member("page", name, unit);
    if (!member || member->offset > layout.size || layout.size - member->offset < bytes) return std::nullopt;
    *offset = member->offset;
  }
  return layout;
}

/// Goes over a section's pages in order.
class Sorter {
 public:
  Sorter(const Layout& layout, const std::vector<PageKind>& what) : layout_(layout) {
    const auto has = [&](PageKind kind) { return std::find(what.begin(), what.end(), kind) != what.end(); };
    free_ = has(PageKind::free);
    user_ = has(PageKind::user);
    cache_ = has(PageKind::cache);
  }

  void page_at(std::uint64_t number, std::uint64_t address, const char* structure) {
    // What is said of a free block's other pages is old.
    if (number < free_until_) return add(number, free_);
    const auto word = [structure](std::uint64_t offset) {
      std::uint64_t value = 0;
      std::memcpy(&value, structure + offset, sizeof(value));
      return value;
    };
    std::uint32_t mapcount = 0;
    std::memcpy(&mapcount, structure + layout_.mapcount, sizeof(mapcount));
    if (mapcount == layout_.buddy) {
      free_until_ = number + (std::uint64_t{1} << std::min(word(layout_.order), max_order));
      return add(number, free_);
    }
    // A large page is what its first one is.
    if (const auto head = word(layout_.head); head & is_tail) {
      if (head - is_tail == head_) add(number);
      return;
    }
    head_ = 0;
    if (!(word(layout_.flags) & layout_.lru)) return;
    if (word(layout_.mapping) & anonymous ? user_ : cache_) {
      head_ = address;
      add(number);
    }
  }
  std::vector<MemoryRange> found;

 private:
  void add(std::uint64_t number, bool wanted = true) {
    if (wanted) add_run(found, MemoryRange{number * page, page});
  }

  const Layout& layout_;
  bool free_ = false, user_ = false, cache_ = false;
  std::uint64_t free_until_ = 0;  // page number
  std::uint64_t head_ = 0;        // struct page that the tails to be added are of; 0: none
};

/// Of a section's first page, where its struct page would be if that were page 0's; nothing: it has none.
std::optional<std::uint64_t> memory_map(const KernelView& view, std::uint64_t section) {
  const auto table = view.symbol("mem_section");
  const auto size = view.size_of("mem_section", sparse_unit);
  if (!table || !size || *size == 0 || *size > page) return std::nullopt;
  const auto per_root = page / *size;
  // CONFIG_SPARSEMEM_EXTREME: an array of pointers; since 4.15 it is allocated.
  const auto roots = table->size == 8 ? view.number(table->address) : table->address;
  const auto root = roots ? view.number(*roots + section / per_root * 8) : std::nullopt;
  if (!root || !*root) return std::nullopt;
  const auto map =
      view.number(*root + section % per_root * *size, "mem_section", "section_mem_map", sparse_unit);
  if (!map || !(*map & has_memory_map)) return std::nullopt;
  return *map & ~section_flags;
}

}  // namespace

std::optional<std::vector<MemoryRange>> linux_pages_of(const KernelView& view,
                                                       const std::vector<PageKind>& what,
                                                       const Deadline& deadline) {
  const auto layout = layout_of(view);
  if (!layout) return std::nullopt;
  Sorter sorter(*layout, what);
  constexpr std::uint64_t at_once = 4096;
  std::string structures(at_once * layout->size, '\0');
  bool any = false;
  std::uint64_t before = ~std::uint64_t{0};
  for (const auto& range : view.memory().physical_ranges()) {
    const auto last = (range.end() - 1) / page / section_pages;
    for (auto section = range.address / page / section_pages; section <= last; ++section) {
      if (section == before) continue;  // two ranges are in it
      before = section;
      const auto map = memory_map(view, section);
      if (!map) continue;
      for (std::uint64_t i = 0; i < section_pages; i += at_once) {
        deadline.check("list the pages of a kernel");
        const auto number = section * section_pages + i, address = *map + number * layout->size;
        if (!view.read(address, structures.data(), structures.size())) continue;
        any = true;
        for (std::uint64_t k = 0; k < at_once; ++k)
          sorter.page_at(number + k, address + k * layout->size, structures.data() + k * layout->size);
      }
    }
  }
  if (!any) return std::nullopt;
  return std::move(sorter.found);
}

}  // namespace kdev::guest
