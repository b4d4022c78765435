#include "crash/core/kernel_types.hpp"

#include <dwarf.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "crash/dwarf_type.hpp"

namespace kdev::crash {
namespace {

/// Behind qualifiers and typedefs.
bool peeled_type_of(Dwarf_Die& member, Dwarf_Die& out) {
  return type_of(member, out) && peel(out);
}

std::optional<std::uint64_t> offset_of(Dwarf_Die& member) {
  Dwarf_Attribute attribute;
  if (dwarf_hasattr(&member, DW_AT_bit_size)) return std::nullopt;
  if (!dwarf_attr(&member, DW_AT_data_member_location, &attribute)) return 0;  // of a union
  Dwarf_Word value = 0;
  if (dwarf_formudata(&attribute, &value) == 0) return value;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (dwarf_getlocation(&attribute, &ops, &count) == 0 && count == 1 && ops[0].atom == DW_OP_plus_uconst)
    return ops[0].number;
  return std::nullopt;
}

std::uint64_t size_of_die(Dwarf_Die& die) {
  Dwarf_Word size = 0;
  return dwarf_aggregate_size(&die, &size) == 0 ? size : 0;
}

/// A member by its name, also one of a nameless struct or union in it.
bool find_member(Dwarf_Die& type, std::string_view name, Dwarf_Die& out, std::uint64_t& offset,
                 int depth = 0) {
  Dwarf_Die child;
  if (depth > 8 || dwarf_child(&type, &child) != 0) return false;
  do {
    if (dwarf_tag(&child) != DW_TAG_member) continue;
    const char* have = dwarf_diename(&child);
    const auto at = offset_of(child);
    if (!at) continue;
    if (have && name == have) {
      offset += *at;
      return peeled_type_of(child, out);
    }
    if (have) continue;
    Dwarf_Die inner;
    std::uint64_t within = offset + *at;
    if (peeled_type_of(child, inner) && find_member(inner, name, out, within, depth + 1)) {
      offset = within;
      return true;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

}  // namespace

KernelTypes::Unit* KernelTypes::unit(std::size_t number) {
  if (number == units_.size())
    if (auto die = reader_.next()) {
      const char* name = dwarf_diename(&*die);
      units_.push_back({*die, name ? name : "", false, {}, {}});
    }
  return number < units_.size() ? &units_[number] : nullptr;
}

void KernelTypes::index(Unit& unit) {
  if (unit.indexed) return;
  unit.indexed = true;
  Dwarf_Die child;
  if (dwarf_child(&unit.die, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_enumeration_type) {
      Dwarf_Die value;
      if (dwarf_child(&child, &value) != 0) continue;
      do {
        Dwarf_Attribute attribute;
        Dwarf_Sword number = 0;
        const char* name = dwarf_diename(&value);
        if (name && dwarf_formsdata(dwarf_attr(&value, DW_AT_const_value, &attribute), &number) == 0)
          unit.enumerators.emplace(name, number);
      } while (dwarf_siblingof(&value, &value) == 0);
      continue;
    }
    const bool structure = tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
    if (!structure && tag != DW_TAG_typedef) continue;
    const char* name = dwarf_diename(&child);
    if (!name || dwarf_hasattr(&child, DW_AT_declaration)) continue;
    // A structure comes before a typedef of its name.
    if (structure)
      unit.types.insert_or_assign(name, dwarf_dieoffset(&child));
    else
      unit.types.emplace(name, dwarf_dieoffset(&child));
  } while (dwarf_siblingof(&child, &child) == 0);
}

bool KernelTypes::mentions(const std::string& name) {
  if (!dwarf_) return false;
  if (!strings_) {
    strings_.emplace();
    Elf* elf = dwarf_getelf(dwarf_);
    std::size_t names = 0;
    elf_getshdrstrndx(elf, &names);
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
      GElf_Shdr header{};
      if (!gelf_getshdr(section, &header)) continue;
      const char* called = elf_strptr(elf, names, header.sh_name);
      if (!called || (std::strcmp(called, ".debug_str") != 0 && std::strcmp(called, ".debug_info") != 0))
        continue;
      const Elf_Data* data = header.sh_flags & SHF_COMPRESSED ? nullptr : elf_rawdata(section, nullptr);
      if (!data || !data->d_buf) continue;
      // Most names are in .debug_str, which is the smaller one.
      strings_->emplace(called[7] == 's' ? strings_->begin() : strings_->end(),
                        static_cast<const char*>(data->d_buf), data->d_size);
    }
  }
  // One of them is compressed, or elsewhere: who knows.
  if (strings_->size() != 2) return true;
  const auto holds = [&](std::string_view s) {
    return ::memmem(s.data(), s.size(), name.c_str(), name.size() + 1) != nullptr;
  };
  return std::any_of(strings_->begin(), strings_->end(), holds);
}

template <class Found>
bool KernelTypes::search(const std::string& key, std::string_view name, Found&& found) {
  for (const bool named : {true, false}) {
    if (named ? name.empty() : !mentions(key)) continue;
    for (std::size_t i = 0; Unit* u = unit(i); ++i) {
      if ((!name.empty() && u->name.ends_with(name)) != named) continue;
      index(*u);
      if (found(*u)) return true;
    }
  }
  return false;
}

bool KernelTypes::type(std::string_view name, std::string_view unit, Dwarf_Die& die) {
  const std::string key(name);
  return search(key, unit, [&](const Unit& u) {
    const auto it = u.types.find(key);
    return it != u.types.end() && dwarf_offdie(dwarf_, it->second, &die) && peel(die) &&
           !dwarf_hasattr(&die, DW_AT_declaration);
  });
}

std::optional<std::uint64_t> KernelTypes::size_of(std::string_view name, std::string_view unit) {
  const auto found = member(name, "", unit);
  return found ? std::optional(found->size) : std::nullopt;
}

std::optional<std::int64_t> KernelTypes::enumerator(std::string_view name, std::string_view unit) {
  const std::string key(name);
  std::optional<std::int64_t> value;
  search(key, unit, [&](const Unit& u) {
    if (const auto it = u.enumerators.find(key); it != u.enumerators.end()) value = it->second;
    return value.has_value();
  });
  return value;
}

std::optional<guest::Member> KernelTypes::member(std::string_view name, std::string_view path,
                                                 std::string_view unit) {
  const std::string key = std::string(name) + '\0' + std::string(path) + '\0' + std::string(unit);
  if (const auto known = members_.find(key); known != members_.end()) return known->second;
  auto& result = members_[key];
  Dwarf_Die at;
  if (!type(name, unit, at)) return result;
  std::uint64_t offset = 0;
  while (!path.empty()) {
    if (path[0] == '.') path.remove_prefix(1);
    if (path[0] == '[') {
      std::uint64_t index = 0;
      const auto end = path.find(']');
      if (end == std::string_view::npos || dwarf_tag(&at) != DW_TAG_array_type) return result;
      std::from_chars(path.data() + 1, path.data() + end, index);
      Dwarf_Die element;
      if (!peeled_type_of(at, element)) return result;
      at = element;
      offset += index * size_of_die(at);
      path.remove_prefix(end + 1);
      continue;
    }
    const auto end = std::min(path.find_first_of(".["), path.size());
    Dwarf_Die next;
    if (!find_member(at, path.substr(0, end), next, offset)) return result;
    at = next;
    path.remove_prefix(end);
  }
  result = guest::Member{offset, size_of_die(at)};
  return result;
}

}  // namespace kdev::crash
