#include "crash/dwarf_type.hpp"

#include <dwarf.h>
#include <fmt/format.h>

namespace kdev::crash {
namespace {

constexpr int deepest = 32, max_parameters = 16, max_dimensions = 8;
constexpr std::size_t longest = 512;

bool number(Dwarf_Die& die, unsigned name, std::uint64_t& value) {
  Dwarf_Attribute attribute;
  Dwarf_Word word = 0;
  if (dwarf_formudata(dwarf_attr_integrate(&die, name, &attribute), &word) != 0) return false;
  value = word;
  return true;
}

std::string declare(Dwarf_Die* type, std::string inner, int depth);

std::string of(Dwarf_Die& entry, std::string inner, int depth) {
  Dwarf_Die type;
  return declare(type_of(entry, type) ? &type : nullptr, std::move(inner), depth);
}

std::string parameters(Dwarf_Die& function, int depth) {
  std::string list;
  Dwarf_Die child;
  int count = 0;
  if (dwarf_child(&function, &child) == 0) do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters) continue;
      if (!list.empty()) list += ", ";
      list += ++count > max_parameters || tag == DW_TAG_unspecified_parameters ? "..." : of(child, {}, depth);
    } while (count <= max_parameters && dwarf_siblingof(&child, &child) == 0);
  return "(" + (list.empty() ? "void" : list) + ")";
}

std::string dimensions(Dwarf_Die& array) {
  std::string text;
  Dwarf_Die child;
  int count = 0;
  if (dwarf_child(&array, &child) == 0) do {
      if (dwarf_tag(&child) != DW_TAG_subrange_type) continue;
      std::uint64_t n = 0;
      if (number(child, DW_AT_count, n))
        text += fmt::format("[{}]", n);
      else if (number(child, DW_AT_upper_bound, n))
        text += fmt::format("[{}]", n + 1);
      else
        text += "[]";
    } while (++count < max_dimensions && dwarf_siblingof(&child, &child) == 0);
  return text.empty() ? "[]" : text;
}

std::string joined_to(std::string name, const std::string& inner) {
  return inner.empty() ? name : name + " " + inner;
}

/// A type around what is declared: from the inside out, as C has it.
std::string declare(Dwarf_Die* type, std::string inner, int depth) {
  if (!type) return joined_to("void", inner);
  if (depth > deepest || inner.size() > longest) return joined_to("...", inner);
  const int tag = dwarf_tag(type);
  const char* name = dwarf_diename(type);
  Dwarf_Die target{};
  switch (tag) {
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type: {
      inner = (tag == DW_TAG_pointer_type ? "*" : "&") + inner;
      if (!type_of(*type, target)) return joined_to("void", inner);
      const int to = dwarf_tag(&target);
      if (to == DW_TAG_array_type || to == DW_TAG_subroutine_type) inner = "(" + inner + ")";
      return declare(&target, std::move(inner), depth + 1);
    }
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type: {
      const std::string word = tag == DW_TAG_const_type      ? "const"
                               : tag == DW_TAG_volatile_type ? "volatile"
                               : tag == DW_TAG_restrict_type ? "restrict"
                                                             : "_Atomic";
      if (type_of(*type, target) && dwarf_tag(&target) == DW_TAG_pointer_type)
        return declare(&target, " " + word + inner, depth + 1);
      // An array's elements have it, too.
      if (Dwarf_Die element;
          dwarf_tag(&target) == DW_TAG_array_type && type_of(target, element) && dwarf_tag(&element) == tag)
        return declare(&target, std::move(inner), depth + 1);
      return word + " " + of(*type, std::move(inner), depth + 1);
    }
    case DW_TAG_array_type:
      return of(*type, inner + dimensions(*type), depth + 1);
    case DW_TAG_subroutine_type: {
      // Parameters may be functions again: few levels of them are enough.
      const std::string list = parameters(*type, depth + deepest / 2);
      return of(*type, inner + list, depth + 1);
    }
    case DW_TAG_structure_type:
      return joined_to(name ? fmt::format("struct {}", name) : "struct {...}", inner);
    case DW_TAG_union_type:
      return joined_to(name ? fmt::format("union {}", name) : "union {...}", inner);
    case DW_TAG_enumeration_type:
      return joined_to(name ? fmt::format("enum {}", name) : "enum {...}", inner);
    default:
      return joined_to(name ? name : "?", inner);
  }
}

}  // namespace

bool type_of(Dwarf_Die& entry, Dwarf_Die& type) {
  Dwarf_Attribute attribute;
  return dwarf_formref_die(dwarf_attr_integrate(&entry, DW_AT_type, &attribute), &type) != nullptr;
}

bool peel(Dwarf_Die& type) {
  for (int i = 0; i < deepest; ++i) {
    switch (dwarf_tag(&type)) {
      case DW_TAG_typedef:
      case DW_TAG_const_type:
      case DW_TAG_volatile_type:
      case DW_TAG_restrict_type:
      case DW_TAG_atomic_type:
        break;
      default:
        return true;
    }
    Dwarf_Die next;
    if (!type_of(type, next)) return false;
    type = next;
  }
  return false;
}

std::optional<std::uint64_t> size_of_type(Dwarf_Die& type) {
  Dwarf_Word size = 0;
  if (dwarf_aggregate_size(&type, &size) == 0) return size;
  return std::nullopt;
}

std::string type_name(Dwarf_Die& entry) {
  auto text = of(entry, {}, 0);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

unsigned encoding_of(Dwarf_Die& type) {
  std::uint64_t value = 0;
  return dwarf_tag(&type) == DW_TAG_base_type && number(type, DW_AT_encoding, value)
             ? static_cast<unsigned>(value)
             : 0;
}

std::optional<MemberPlace> place_of(Dwarf_Die& member) {
  MemberPlace place;
  Dwarf_Attribute attribute;
  std::uint64_t value = 0;
  if (dwarf_attr(&member, DW_AT_data_member_location, &attribute)) {
    Dwarf_Word word = 0;
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    if (dwarf_formudata(&attribute, &word) == 0)
      place.offset = word;
    else if (dwarf_getlocation(&attribute, &ops, &count) == 0 && count == 1 &&
             ops[0].atom == DW_OP_plus_uconst)
      place.offset = ops[0].number;
    else
      return std::nullopt;
  }
  if (!number(member, DW_AT_bit_size, value)) return place;
  if (value == 0 || value > 64) return std::nullopt;
  place.bits = static_cast<unsigned>(value);
  std::uint64_t at = 0, storage = 0;
  if (number(member, DW_AT_data_bit_offset, at)) {
    at += place.offset * 8;
  } else if (number(member, DW_AT_bit_offset, at)) {
    // Before DWARF 4: from the highest bit of its storage unit.
    Dwarf_Die type;
    if (!number(member, DW_AT_byte_size, storage)) {
      const auto size = type_of(member, type) ? size_of_type(type) : std::nullopt;
      if (!size) return std::nullopt;
      storage = *size;
    }
    at = (place.offset + storage) * 8 - at - place.bits;
  } else {
    at = place.offset * 8;
  }
  place.offset = at / 8;
  place.bit = static_cast<unsigned>(at % 8);
  return place;
}

}  // namespace kdev::crash
