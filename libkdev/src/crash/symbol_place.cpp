#include "crash/symbol_place.hpp"

#include <algorithm>
#include <cstdlib>

namespace kdev::crash {

SymbolPlace place_of(const DebugInfo& info, std::string_view name, std::uint64_t size, std::uint64_t offset,
                     std::uint64_t address) {
  SymbolPlace place;
  const auto candidates = info.named(name);
  for (const auto* s : candidates)
    if (address && s->address + offset == address) return {s, Fit::exact, false};
  for (const auto* s : candidates) {
    if (size == 0 || (s->size != size && s->extent != size) || offset > size) continue;
    if (place.symbol)
      place.ambiguous = true;
    else
      place = {s, Fit::exact, false};
  }
  if (place.symbol || candidates.empty()) return place;
  const auto distance = [size](const ElfSymbol* s) {
    return s->extent > size ? s->extent - size : size - s->extent;
  };
  place.symbol = size ? *std::min_element(candidates.begin(), candidates.end(),
                                          [&](auto* a, auto* b) { return distance(a) < distance(b); })
                      : candidates[0];
  place.ambiguous = candidates.size() > 1;
  // Without a printed size the name has to do; but the offset must lie in the function.
  const bool inside = offset <= std::max(place.symbol->extent, place.symbol->size);
  // The last function of a module's section is printed with all that is left of the page.
  const bool tail =
      info.file().relocatable() && size > place.symbol->size && size - place.symbol->size < 0x1000;
  place.fit = (size == 0 || tail) && inside ? Fit::exact : Fit::only_name;
  return place;
}

std::uint64_t bare_address(const StackFrame& frame) {
  if (frame.function.starts_with("0x")) return std::strtoull(frame.function.c_str(), nullptr, 16);
  return frame.function.empty() ? frame.address : 0;
}

}  // namespace kdev::crash
