#include "guest/core_rules.hpp"

#include <algorithm>
#include <cstring>

namespace kdev::guest {

std::optional<std::uint64_t> KernelView::number(std::uint64_t address, std::size_t size) const {
  std::uint64_t value = 0;  // little-endian, as all machines that are read
  if (size == 0 || size > sizeof(value) || !read(address, &value, size)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> KernelView::number(std::uint64_t structure, std::string_view type,
                                                std::string_view path, std::string_view unit) const {
  const auto m = member(type, path, unit);
  return m ? number(structure + m->offset, m->size) : std::nullopt;
}

std::optional<std::uint64_t> KernelView::variable(std::string_view name, std::size_t size) const {
  const auto found = symbol(name);
  return found ? number(found->address, size) : std::nullopt;
}

std::string KernelView::text(std::uint64_t address, std::size_t limit) const {
  std::string s;
  char piece[64];
  while (s.size() < limit) {
    // Up to the next multiple of its size: what lies behind may be another page, which is not there.
    const auto n = std::min<std::uint64_t>(limit - s.size(), sizeof(piece) - address % sizeof(piece));
    if (!read(address, piece, n)) break;
    const auto length = ::strnlen(piece, n);
    s.append(piece, length);
    if (length < n) break;
    address += n;
  }
  return s;
}

std::string KernelView::text_member(std::uint64_t structure, std::string_view type, std::string_view path,
                                    std::string_view unit) const {
  const auto m = member(type, path, unit);
  return m ? text(structure + m->offset, std::min<std::uint64_t>(m->size, 4096)) : std::string();
}

}  // namespace kdev::guest
