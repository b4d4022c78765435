#include "hypervisor/qemu/memory_map.hpp"

#include <algorithm>
#include <charconv>
#include <kdev/error.hpp>
#include <optional>

namespace kdev::hypervisor {
namespace {

std::string_view take_line(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// What is before `end`, as hex; it is taken off, with `end`.
std::optional<std::uint64_t> take_hex(std::string_view& text, std::string_view end) {
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  if (error != std::errc() || !text.starts_with(end)) return std::nullopt;
  text.remove_prefix(end.size());
  return value;
}

/// "0000000000100000-000000001fffffff (prio 0, ram): ram @0000000000100000"
std::optional<MemoryRange> read_range(std::string_view line, std::string_view name) {
  const auto low = take_hex(line, "-"), high = take_hex(line, " (");
  const auto colon = line.find("): ");
  if (!low || !high || *high < *low || colon == std::string_view::npos) return std::nullopt;
  line.remove_prefix(colon + 3);
  if (!line.starts_with(name)) return std::nullopt;
  line.remove_prefix(name.size());
  MemoryRange range{.physical = *low, .size = *high - *low + 1, .offset = 0};
  // After it may stand which accelerator knows of it.
  if (line.starts_with(" @")) {
    line.remove_prefix(2);
    const auto offset = take_hex(line, "");
    if (!offset) return std::nullopt;
    range.offset = *offset;
  }
  if (!line.empty() && line[0] != ' ') return std::nullopt;  // another's name, which only begins so
  return range;
}

}  // namespace

std::vector<MemoryRange> read_memory_map(std::string_view text, std::string_view name) {
  std::vector<MemoryRange> ranges;
  bool ours = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with("FlatView #")) {
      if (!ranges.empty()) break;  // other views are of devices, and of the firmware's own mode
      ours = false;
    }
    if (line.find("AS \"memory\"") != std::string_view::npos) ours = true;
    const auto first = line.find_first_not_of(' ');
    if (!ours || first == std::string_view::npos) continue;
    const auto range = read_range(line.substr(first), name);
    if (!range) continue;
    if (!ranges.empty() && ranges.back().physical + ranges.back().size == range->physical &&
        ranges.back().offset + ranges.back().size == range->offset)
      ranges.back().size += range->size;
    else
      ranges.push_back(*range);
  }
  if (ranges.empty())
    throw DebugError({.attempted = "find out where the guest's memory lies",
                      .reason = "QEMU's map of it does not name '" + std::string(name) + "'",
                      .hint = "is another memory backend in qemu_args?",
                      .log = {}});
  return ranges;
}

}  // namespace kdev::hypervisor
