#include "guest/linux/vmcoreinfo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace kdev::guest {
namespace {

template <class Number>
std::optional<std::uint64_t> parsed(const std::string& text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

}  // namespace

Vmcoreinfo::Vmcoreinfo(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto equals = line.find('=');
    // Appended ones come later and count.
    if (equals != std::string_view::npos)
      lines_.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
  }
}

Vmcoreinfo Vmcoreinfo::of(const CoreMemory& memory) {
  return Vmcoreinfo(text_of(memory, nullptr));
}

std::string Vmcoreinfo::text_of(const CoreMemory& memory, const KernelView* view) {
  for (const auto& note : memory.notes())
    if (note.name == "VMCOREINFO") return note.data.substr(0, note.data.find('\0'));
  if (!view) return {};
  // vmcoreinfo_append_str() in kernel/crash_core.c fills a page.
  constexpr std::uint64_t max_size = 1u << 16;
  const auto data = view->variable("vmcoreinfo_data"), size = view->variable("vmcoreinfo_size");
  if (!data || !size || *size > max_size) return {};
  auto text = view->text(*data, *size);
  return text.starts_with("OSRELEASE=") ? text : std::string();
}

std::string Vmcoreinfo::text(std::string_view key) const {
  const auto it = lines_.find(key);
  return it == lines_.end() ? std::string() : it->second;
}
std::optional<std::uint64_t> Vmcoreinfo::hex(std::string_view key) const {
  return parsed<std::uint64_t>(text(key), 16);
}
std::optional<std::uint64_t> Vmcoreinfo::symbol(std::string_view name) const {
  return hex(fmt::format("SYMBOL({})", name));
}
std::optional<std::uint64_t> Vmcoreinfo::offset(std::string_view member) const {
  return parsed<std::uint64_t>(text(fmt::format("OFFSET({})", member)), 10);
}
std::optional<std::uint64_t> Vmcoreinfo::size(std::string_view type) const {
  return parsed<std::uint64_t>(text(fmt::format("SIZE({})", type)), 10);
}
std::optional<std::uint64_t> Vmcoreinfo::number(std::string_view name) const {
  return parsed<std::int64_t>(text(fmt::format("NUMBER({})", name)), 10);
}

}  // namespace kdev::guest
