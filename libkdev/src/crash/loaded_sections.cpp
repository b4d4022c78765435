#include "crash/loaded_sections.hpp"

namespace kdev::crash {

LoadedSections::LoadedSections(const std::vector<SectionPlace>& layout, const Sections& loaded) {
  for (const auto& place : layout) {
    const auto it = loaded.find(place.name);
    sections_.push_back({.in_index = place.address,
                         .size = place.size,
                         .loaded = it == loaded.end() ? std::nullopt : std::optional(it->second)});
  }
}

std::optional<std::uint64_t> LoadedSections::to_index(std::uint64_t loaded) const {
  for (const auto& s : sections_)
    if (s.loaded && loaded - *s.loaded < s.size) return s.in_index + (loaded - *s.loaded);
  return std::nullopt;
}

std::optional<std::uint64_t> LoadedSections::to_loaded(std::uint64_t in_index) const {
  std::optional<std::uint64_t> at_end;
  for (const auto& s : sections_) {
    const std::uint64_t offset = in_index - s.in_index;
    if (offset < s.size) return s.loaded ? std::optional(*s.loaded + offset) : std::nullopt;
    if (offset == s.size && s.loaded) at_end = *s.loaded + offset;  // unless another section begins there
  }
  return at_end;
}

void LoadedSections::move(std::vector<ElfSymbol>& symbols, std::uint64_t end) const {
  std::erase_if(symbols, [this](ElfSymbol& symbol) {
    const auto address = to_loaded(symbol.address);
    symbol.address = address.value_or(0);
    return !address;
  });
  order_symbols(symbols, {end});
}

}  // namespace kdev::crash
