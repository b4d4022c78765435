// What a Linux kernel's dump, written anew, says of the kernel.
#include <fmt/format.h>

#include "guest/linux/core_facts.hpp"
#include "guest/linux/vmcoreinfo.hpp"

namespace kdev::guest {
namespace {

/// __START_KERNEL_map in arch/x86/include/asm/page_64_types.h.
constexpr std::uint64_t kernel_map = 0xffffffff80000000;
/// struct new_utsname: names of 65 bytes each.
constexpr std::size_t name_size = 65;

/// Where the top page table is, as the kernel addresses it.
std::optional<std::uint64_t> top_table(const KernelView& view) {
  for (const auto* name : {"init_top_pgt", "init_level4_pgt"})  // before 4.13
    if (const auto table = view.symbol(name); table && table->address >= kernel_map) return table->address;
  return std::nullopt;
}

std::optional<std::uint64_t> physical_base(const Vmcoreinfo& info, const KernelView* view,
                                           const KernelPlace* place) {
  if (const auto told = info.number("phys_base")) return told;
  const auto table = view && place ? top_table(*view) : std::nullopt;
  if (!table) return std::nullopt;
  return place->page_tables - (*table - kernel_map);
}

std::optional<std::uint64_t> names_at(const Vmcoreinfo& info, const KernelView* view) {
  const auto at = info.symbol("init_uts_ns"), offset = info.offset("uts_namespace.name");
  if (at && offset) return *at + *offset;
  const auto symbol = view ? view->symbol("init_uts_ns") : std::nullopt;
  const auto member = view ? view->member("uts_namespace", "name", "init/version.c") : std::nullopt;
  if (!symbol || !member) return std::nullopt;
  return symbol->address + member->offset;
}

}  // namespace

std::vector<CoreNote> linux_self_notes(const CoreMemory& memory, const KernelView* view,
                                       const KernelPlace* place) {
  std::vector<CoreNote> notes;
  for (const auto& note : memory.notes())
    if (note.name == "VMCOREINFO") notes.push_back(note);
  if (!notes.empty() || !view || !place) return notes;
  // As far as readers need it to find their way.
  const auto base = physical_base({}, view, place);
  const auto header = linux_kdump_header(memory, view, place);
  if (!base || !header) return notes;
  std::string text = fmt::format("OSRELEASE={}\nPAGESIZE=4096\n", header->names[2]);
  for (const auto* name : {"init_uts_ns", "_stext", "init_top_pgt", "swapper_pg_dir"})
    if (const auto symbol = view->symbol(name))
      text += fmt::format("SYMBOL({})={:x}\n", name, symbol->address);
  if (const auto name = view->member("uts_namespace", "name", "init/version.c"))
    text += fmt::format("OFFSET(uts_namespace.name)={}\n", name->offset);
  text += fmt::format("NUMBER(phys_base)={}\nNUMBER(pgtable_l5_enabled)={}\nKERNELOFFSET={:x}\n",
                      static_cast<std::int64_t>(*base), place->levels == 5 ? 1 : 0, place->slide);
  notes.push_back({.name = "VMCOREINFO", .type = 0, .data = std::move(text)});
  return notes;
}

std::optional<KdumpHeader> linux_kdump_header(const CoreMemory& memory, const KernelView* view,
                                              const KernelPlace* place) {
  const auto info = Vmcoreinfo::of(memory);
  const auto base = physical_base(info, view, place);
  if (!base) return std::nullopt;
  KdumpHeader header{.names = {"Linux", "", info.text("OSRELEASE"), "", memory.arch(), ""},
                     .physical_base = *base};
  std::string there(name_size * header.names.size(), '\0');
  if (const auto at = names_at(info, view); at && memory.read_virtual(*at, there.data(), there.size()))
    for (std::size_t i = 0; i < header.names.size(); ++i)
      header.names[i] = std::string(there.substr(i * name_size, name_size - 1).c_str());
  // Readers go by it.
  header.names[4] = memory.arch();
  return header;
}

}  // namespace kdev::guest
