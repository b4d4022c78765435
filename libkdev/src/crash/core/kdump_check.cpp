#include "crash/core/kdump_check.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

namespace kdev::crash {
namespace {

/// NR_CPUS is at most 8192 (arch/x86/Kconfig); each has a note.
constexpr std::size_t max_notes = 10000;
/// struct elf_prstatus of x86-64, without its last, optional member.
constexpr std::size_t prstatus_size = 328;
/// The kernel has a page for it (VMCOREINFO_BYTES), makedumpfile adds a few lines.
constexpr std::size_t max_vmcoreinfo = 64u << 10, max_key = 512;

/// It takes a file for one of a 32-bit machine, or of another byte order, when the size of its blocks is one
/// there.
bool seems_narrow(const KdumpFileHeader& h) {
  const auto there = static_cast<std::uint32_t>(h.microseconds);
  for (const auto size : {there, __builtin_bswap32(there)})
    if (std::has_single_bit(size) && size >= 1u << 12 && size <= 1u << 18) return true;
  return false;
}

/// Its attributes are a tree, a key's dots its steps: what is a value cannot have others below it.
bool is_tree(const std::set<std::string, std::less<>>& paths) {
  return std::none_of(paths.begin(), paths.end(), [&](const std::string& path) {
    for (auto at = path.find('.'); at != std::string::npos; at = path.find('.', at + 1))
      if (paths.count(std::string_view(path).substr(0, at))) return true;
    return false;
  });
}

/// A step without a name makes libkdumpfile read past the end of the key.
bool has_empty_step(std::string_view path) {
  return path.starts_with('.') || path.ends_with('.') || path.find("..") != std::string_view::npos;
}

std::string check_vmcoreinfo(std::string_view text) {
  if (text.size() > max_vmcoreinfo) return fmt::format("its VMCOREINFO has {} bytes", text.size());
  std::set<std::string, std::less<>> lines, values;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto key = line.substr(0, line.find('='));
    // Padding behind the text is one line of zeros.
    const bool padding = key.find_first_not_of('\0') == std::string_view::npos;
    if (!padding && (key.size() > max_key || key.find('\0') != std::string_view::npos || has_empty_step(key)))
      return "its VMCOREINFO has a line that makes no sense";
    if (key == "PAGESIZE" && line != "PAGESIZE=4096") return "its pages are not of 4096 bytes";
    lines.emplace(padding ? "" : key);
    // "SIZE(list_head)" is also kept as SIZE.list_head.
    if (const auto open = key.find('('); open != std::string_view::npos && key.ends_with(')')) {
      const auto value =
          fmt::format("{}.{}", key.substr(0, open), key.substr(open + 1, key.size() - open - 2));
      if (has_empty_step(value)) return "its VMCOREINFO has a line that makes no sense";
      values.insert(value);
    }
  }
  return is_tree(lines) && is_tree(values) ? "" : "lines of its VMCOREINFO contradict each other";
}

}  // namespace

std::string check_kdump_headers(const KdumpFileHeader& h, const KdumpSubHeader& sub,
                                std::uint64_t file_size) {
  if (h.version < 0 || h.version > kdump_version)
    return fmt::format("it is of version {}: not known", h.version);
  if (h.block_size != kdump_page) return fmt::format("its blocks of {} bytes are no pages", h.block_size);
  if (seems_narrow(h)) return "libkdumpfile takes it for one of a 32-bit machine, by its time";
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

std::string check_kdump_notes(const std::vector<guest::CoreNote>& notes, std::string_view vmcoreinfo) {
  if (notes.size() > max_notes) return fmt::format("it has {} notes", notes.size());
  int texts = 0;
  for (const auto& n : notes) {
    if (n.name == "Xen" || n.name == ".note.Xen" || n.name == "VMCOREINFO_XEN")
      return "it is of a kernel below Xen, whose physical addresses are others";
    if (n.name == "CORE" && n.type == NT_PRSTATUS && n.data.size() < prstatus_size)
      return "a note of its registers is cut off";
    if (n.name != "VMCOREINFO") continue;
    if (++texts > 1) return "it has more than one VMCOREINFO";
    if (auto wrong = check_vmcoreinfo(n.data); !wrong.empty()) return wrong;
  }
  return check_vmcoreinfo(vmcoreinfo);
}

}  // namespace kdev::crash
