#include "crash/dwarf_members.hpp"

#include <dwarf.h>
#include <fmt/format.h>

#include "crash/dwarf_type.hpp"

namespace kdev::crash {
namespace {

constexpr int max_depth = 32;

bool structure_tag(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_class_type;
}

/// Of an array, that of an element.
bool element(Dwarf_Die array, Dwarf_Die& type, std::uint64_t& size) {
  if (!type_of(array, type)) return false;
  size = size_of_type(type).value_or(0);
  return size > 0;
}

struct Search {
  std::uint64_t wanted;           ///< bytes; 0: any
  std::optional<MemberAt> loose;  ///< fits but for its size

  /// True: `at` is right.
  bool into(Dwarf_Die type, std::uint64_t offset, MemberAt& at, int depth) {
    Dwarf_Die plain = type;
    if (depth > max_depth || !peel(plain)) return false;
    const int tag = dwarf_tag(&plain);
    if (tag == DW_TAG_array_type) return into_array(plain, offset, at, depth);
    if (structure_tag(tag)) return into_structure(plain, offset, at, depth);
    const auto size = size_of_type(plain).value_or(0);
    at.within = offset;
    at.type = type;
    if (offset >= size) return false;
    if (wanted == 0 || (offset == 0 && size == wanted)) return true;
    if (!loose) loose = at;
    return false;
  }

  bool into_array(Dwarf_Die array, std::uint64_t offset, MemberAt& at, int depth) {
    Dwarf_Die type;
    std::uint64_t size = 0;
    if (!element(array, type, size)) return false;
    // One without a length has any number of elements; a longer index is outside.
    const auto whole = size_of_type(array).value_or(0);
    if (whole && offset >= whole) return false;
    const auto length = at.path.size();
    at.path += fmt::format("[{}]", offset / size);
    if (into(type, offset % size, at, depth + 1)) return true;
    at.path.resize(length);
    return false;
  }

  bool into_structure(Dwarf_Die structure, std::uint64_t offset, MemberAt& at, int depth) {
    Dwarf_Die child;
    if (dwarf_child(&structure, &child) != 0) return false;
    do {
      if (dwarf_tag(&child) != DW_TAG_member) continue;
      Dwarf_Die type;
      const auto place = place_of(child);
      if (!place || place->offset > offset || !type_of(child, type)) continue;
      const auto size = size_of_type(type);
      Dwarf_Die plain = type;
      const bool open_array = peel(plain) && dwarf_tag(&plain) == DW_TAG_array_type && !size.value_or(0);
      if (!open_array && offset - place->offset >= size.value_or(0)) continue;
      const auto length = at.path.size();
      if (const char* name = dwarf_diename(&child))
        at.path += (at.path.empty() ? "" : ".") + std::string(name);
      if (into(type, offset - place->offset, at, depth + 1)) return true;
      at.path.resize(length);
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
  }
};

}  // namespace

bool pointee(Dwarf_Die type, Dwarf_Die& to) {
  return peel(type) && dwarf_tag(&type) == DW_TAG_pointer_type && type_of(type, to);
}

bool is_structure(Dwarf_Die type) {
  return peel(type) && structure_tag(dwarf_tag(&type)) && !dwarf_hasattr(&type, DW_AT_declaration);
}

std::optional<MemberAt> member_at(Dwarf_Die structure, std::uint64_t offset, std::uint64_t size) {
  for (const std::uint64_t wanted : {size, std::uint64_t{0}}) {
    Search search{wanted, {}};
    MemberAt at;
    if (search.into(structure, offset, at, 0)) return at;
    if (search.loose) return search.loose;
  }
  return std::nullopt;
}

}  // namespace kdev::crash
