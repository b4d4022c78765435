#include "crash/dwarf_value.hpp"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "crash/dwarf_type.hpp"
#include "crash/value_scalar.hpp"

namespace kdev::crash {
namespace {

using Kind = DwarfPiece::Kind;

constexpr std::size_t max_bytes = 8192, max_text = 1024, max_elements = 64, max_members = 100;
constexpr std::size_t repeats_from = 10;  // gdb's `print repeats`

std::string text_of(Dwarf_Die type, const KnownBytes& value, std::uint64_t offset,
                    const ValueSurroundings& around, int depth);

/// Of a range: known, or why not; what comes behind the bytes that were fetched is not.
Kind kind_of(const KnownBytes& value, std::uint64_t offset, std::uint64_t size) {
  if (offset > value.kinds.size() || size > value.kinds.size() - offset) return Kind::unavailable;
  for (std::uint64_t i = offset; i < offset + size; ++i)
    if (value.kinds[i] != Kind::value) return value.kinds[i];
  return Kind::value;
}

/// All of an aggregate is missing for the same reason.
std::optional<Kind> missing_as_one(const KnownBytes& value, std::uint64_t offset, std::uint64_t size) {
  if (offset >= value.kinds.size() || size == 0) return std::nullopt;
  const auto end = std::min<std::uint64_t>(value.kinds.size(), offset + size);
  const auto first = value.kinds[offset];
  if (first == Kind::value) return std::nullopt;
  for (auto i = offset; i < end; ++i)
    if (value.kinds[i] != first) return std::nullopt;
  return first;
}

/// Elements of the outermost dimension, and the type of one: an array of the others, or the element's.
struct Array {
  std::uint64_t count = 0, stride = 0;
  Dwarf_Die element{};
  int dimensions = 0;
};

std::optional<Array> array_of(Dwarf_Die& type) {
  Array a;
  const auto size = size_of_type(type);
  if (!size || !type_of(type, a.element)) return std::nullopt;
  const auto element = size_of_type(a.element);
  if (!element || *element == 0) return std::nullopt;
  Dwarf_Die child;
  if (dwarf_child(&type, &child) == 0) do {
      if (dwarf_tag(&child) == DW_TAG_subrange_type) ++a.dimensions;
    } while (a.dimensions < 8 && dwarf_siblingof(&child, &child) == 0);
  a.stride = *element;
  a.count = *size / *element;
  return a;
}

std::string array_text(Dwarf_Die& type, const KnownBytes& value, std::uint64_t offset,
                       const ValueSurroundings& around, int depth) {
  auto array = array_of(type);
  if (!array) return "{...}";
  Dwarf_Die element = array->element;
  if (!peel(element)) return "{...}";
  const unsigned encoding = encoding_of(element);
  const auto total = array->count * array->stride;
  if (const auto kind = missing_as_one(value, offset, total)) return missing_text(*kind);
  if (array->stride == 1 && (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char) &&
      offset <= value.bytes.size()) {
    const auto held = std::min<std::uint64_t>(total, value.bytes.size() - offset);
    if (held > 0 && kind_of(value, offset, held) == Kind::value)
      return quoted(std::string_view(value.bytes).substr(offset, held), true);
  }
  if (depth > 0) return "{...}";
  std::string text = "{", last;
  std::size_t run = 0, shown = 0;
  const auto flush = [&] {
    if (run == 0) return;
    const std::size_t times = run > repeats_from ? 1 : run;
    for (std::size_t i = 0; i < times; ++i) text += (text.size() > 1 ? ", " : "") + last;
    if (run > repeats_from) text += fmt::format(" <repeats {} times>", run);
    shown += run > repeats_from ? 1 : run;
    run = 0;
  };
  std::uint64_t i = 0;
  for (; i < array->count && shown + run < max_elements && text.size() < max_text; ++i) {
    if (offset + i * array->stride >= value.kinds.size()) break;
    auto now = text_of(array->element, value, offset + i * array->stride, around, depth + 1);
    if (run > 0 && now != last) flush();
    last = std::move(now);
    ++run;
    // A long run is as short as one element.
    if (run > repeats_from && shown + run >= max_elements)
      while (i + 1 < array->count && offset + (i + 1) * array->stride < value.kinds.size() &&
             text_of(array->element, value, offset + (i + 1) * array->stride, around, depth + 1) == last)
        ++run, ++i;
  }
  flush();
  return text + (i < array->count ? "...}" : "}");
}

std::string structure_text(Dwarf_Die& type, const KnownBytes& value, std::uint64_t offset,
                           const ValueSurroundings& around, int depth) {
  if (const auto size = size_of_type(type))
    if (const auto kind = missing_as_one(value, offset, *size)) return missing_text(*kind);
  if (depth > 0) return "{...}";
  std::string text = "{";
  std::size_t members = 0;
  Dwarf_Die child;
  if (dwarf_child(&type, &child) == 0) do {
      if (dwarf_tag(&child) != DW_TAG_member || dwarf_hasattr(&child, DW_AT_external)) continue;
      if (text.size() > 1) text += ", ";
      if (++members > max_members || text.size() > max_text) return text + "...}";
      if (const char* name = dwarf_diename(&child)) text += fmt::format("{} = ", name);
      Dwarf_Die member;
      const auto place = place_of(child);
      if (!place || !type_of(child, member) || place->offset > max_bytes) {
        text += "...";
      } else if (place->bits) {
        const auto at = offset + place->offset;
        const auto bytes = (place->bit + place->bits + 7) / 8;
        const auto kind = kind_of(value, at, bytes);
        text += kind != Kind::value
                    ? missing_text(kind)
                    : bit_field_text(member, value.bytes.substr(at, bytes), place->bit, place->bits);
      } else {
        text += text_of(member, value, offset + place->offset, around, depth + 1);
      }
    } while (dwarf_siblingof(&child, &child) == 0);
  return text + "}";
}

std::string text_of(Dwarf_Die type, const KnownBytes& value, std::uint64_t offset,
                    const ValueSurroundings& around, int depth) {
  if (!peel(type)) return missing_text(Kind::unavailable);
  switch (dwarf_tag(&type)) {
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
      return structure_text(type, value, offset, around, depth);
    case DW_TAG_array_type:
      return array_text(type, value, offset, around, depth);
    default:
      break;
  }
  const auto size = size_of_type(type).value_or(8);  // GCC leaves out that of pointers now and then
  const auto kind = kind_of(value, offset, size);
  if (kind != Kind::value) return missing_text(kind);
  return scalar_text(type, std::string_view(value.bytes).substr(offset, size), around);
}

}  // namespace

std::string missing_text(Kind kind) {
  switch (kind) {
    case Kind::optimized_out:
      return "<optimized out>";
    case Kind::synthetic_pointer:
      return "<synthetic pointer>";
    default:
      return "<unavailable>";
  }
}

KnownBytes fetch(const DwarfLocation& location, std::uint64_t size, const guest::KernelView& memory) {
  KnownBytes known;
  size = std::min<std::uint64_t>(size, max_bytes);
  for (const auto& piece : location) {
    const auto at = known.bytes.size();
    if (at >= size) break;
    const auto n = piece.size ? std::min(piece.size, size - at) : size - at;
    known.bytes.resize(at + n);
    known.kinds.resize(at + n, piece.kind);
    if (piece.kind == Kind::value) {
      const auto have = std::min<std::uint64_t>(n, piece.bytes.size());
      std::memcpy(known.bytes.data() + at, piece.bytes.data(), have);
      std::fill(known.kinds.begin() + static_cast<std::ptrdiff_t>(at + have), known.kinds.end(),
                Kind::optimized_out);
    } else if (piece.kind == Kind::memory) {
      // Page by page, as some may be missing.
      for (std::uint64_t done = 0; done < n;) {
        constexpr std::uint64_t page = 4096;
        const auto part = std::min(n - done, page - (piece.address + done) % page);
        const bool there = memory.read(piece.address + done, known.bytes.data() + at + done, part);
        std::fill_n(known.kinds.begin() + static_cast<std::ptrdiff_t>(at + done), part,
                    there ? Kind::value : Kind::unavailable);
        done += part;
      }
    }
  }
  known.bytes.resize(size);
  known.kinds.resize(size, Kind::optimized_out);
  return known;
}

std::string value_text(Dwarf_Die type, const KnownBytes& value, const ValueSurroundings& around) {
  return text_of(type, value, 0, around, 0);
}

}  // namespace kdev::crash
