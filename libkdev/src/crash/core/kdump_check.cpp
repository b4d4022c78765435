#include "crash/core/kdump_check.hpp"

#include <fmt/format.h>

#include <utility>

namespace kdev::crash {
namespace {

/// NR_CPUS is at most 8192 (arch/x86/Kconfig); each has a note.
constexpr std::size_t max_notes = 10000;
}  // namespace

std::string check_kdump_headers(const KdumpFileHeader& h, const KdumpSubHeader& sub,
                                std::uint64_t file_size) {
  if (h.version < 0 || h.version > kdump_version)
    return fmt::format("it is of version {}: not known", h.version);
  if (h.block_size != kdump_page) return fmt::format("its blocks of {} bytes are no pages", h.block_size);
  const std::uint64_t blocks = h.bitmap_blocks, sub_blocks = static_cast<std::uint32_t>(h.sub_header_blocks);
  if ((1 + sub_blocks + blocks) * kdump_page > file_size) return "it is cut off within its bitmaps of pages";
  const auto pages = h.version >= 6 ? sub.max_page_64 : h.max_page;
  if (blocks % 2 || blocks / 2 * kdump_page * 8 < pages || blocks * kdump_page * 8 < h.max_page)
    return "its bitmaps of pages are too small";
  for (const auto& [at, size] :
       {std::pair{sub.notes_at, sub.notes_size}, std::pair{sub.vmcoreinfo_at, sub.vmcoreinfo_size}})
    if (size && (!at || size > max_kdump_notes || at > file_size || size > file_size - at))
      return "it is cut off within its notes, or they are too long";
  return {};
}

std::string check_kdump_notes(const std::vector<guest::CoreNote>& notes) {
  if (notes.size() > max_notes) return fmt::format("it has {} notes", notes.size());
  for (const auto& n : notes)
    if (n.name == "Xen" || n.name == ".note.Xen" || n.name == "VMCOREINFO_XEN")
      return "it is of a kernel below Xen, whose physical addresses are others";
  return {};
}

}  // namespace kdev::crash
