// Where a Linux kernel lies: what it says itself in VMCOREINFO, or where the words of its file are found.
#include <algorithm>

#include "common/page_table.hpp"
#include "guest/linux/core_facts.hpp"
#include "guest/linux/vmcoreinfo.hpp"

namespace kdev::guest {
namespace {

/// The kernel's text is mapped from here on: __START_KERNEL_map in arch/x86/include/asm/page_64_types.h.
constexpr std::uint64_t kernel_map = 0xffffffff80000000;
/// The least CONFIG_PHYSICAL_ALIGN, and what KASLR moves by.
constexpr std::uint64_t step = 2u << 20;
/// KERNEL_IMAGE_SIZE: how far KASLR moves the mapping.
constexpr std::uint64_t max_slide = 1u << 30;
/// Kernels are looked for up to here.
constexpr std::uint64_t max_load = 4ull << 40;

ReadPhysical reader(const CoreMemory& memory) {
  return [&memory](std::uint64_t a, void* to, std::size_t n) { return memory.read_physical(a, to, n); };
}

std::optional<KernelPlace> by_vmcoreinfo(const CoreMemory& memory) {
  const auto info = Vmcoreinfo::of(memory);
  const auto base = info.number("phys_base");
  if (!base) return std::nullopt;  // added in 4.10
  for (const auto* name : {"init_top_pgt", "swapper_pg_dir", "init_level4_pgt"}) {
    const auto table = info.symbol(name);
    if (!table || *table < kernel_map) continue;
    KernelPlace place;
    place.page_tables = *table - kernel_map + *base;
    place.levels = info.number("pgtable_l5_enabled").value_or(0) ? 5 : 4;
    place.slide = info.hex("KERNELOFFSET").value_or(0);
    // They lead to themselves.
    if (translate_x86_64(reader(memory), place.page_tables, *table, place.levels) == place.page_tables)
      return place;
  }
  return std::nullopt;
}

/// The banner of the kernel's file tells where in physical memory the kernel was loaded; right is where its
/// page tables map the banner to that place.
std::optional<KernelPlace> by_banner(const CoreMemory& memory, const KernelView& view) {
  const auto text = view.symbol("_text"), banner = view.symbol("linux_banner"), table = [&] {
    const auto now = view.symbol("init_top_pgt");
    return now ? now : view.symbol("init_level4_pgt");  // before 4.13
  }();
  const auto five = view.symbol("__pgtable_l5_enabled");
  if (!text || !banner || !table || banner->address < text->address || table->address < text->address)
    return std::nullopt;
  const auto words = view.linked_bytes(banner->address, std::clamp<std::uint64_t>(banner->size, 16, 512));
  if (words.size() < 16) return std::nullopt;
  const auto read = reader(memory);
  std::string there(words.size(), '\0');
  for (std::uint64_t load = 0; load < std::min(memory.physical_end(), max_load); load += step) {
    const auto place = load + (banner->address - text->address);
    if (!memory.read_physical(place, there.data(), there.size()) || there != words) continue;
    const auto top = load + (table->address - text->address);
    std::uint32_t enabled = 0;
    if (five && five->address > text->address)
      memory.read_physical(load + (five->address - text->address), &enabled, sizeof(enabled));
    for (const int levels : enabled ? std::vector{5, 4} : std::vector{4, 5})
      for (std::uint64_t slide = 0; slide < max_slide; slide += step)
        if (translate_x86_64(read, top, banner->address + slide, levels) == place)
          return KernelPlace{.page_tables = top, .levels = levels, .slide = slide};
  }
  return std::nullopt;
}

}  // namespace

std::optional<KernelPlace> linux_place(const CoreMemory& memory, const KernelView* view) {
  auto place = by_vmcoreinfo(memory);
  if (!place && view) place = by_banner(memory, *view);
  return place;
}

}  // namespace kdev::guest
