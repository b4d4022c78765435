#include "crash/dwarf_location.hpp"

#include <dwarf.h>

#include <algorithm>
#include <cstring>

namespace kdev::crash {
namespace {

using Kind = DwarfPiece::Kind;

constexpr std::size_t max_constant = 1u << 16;

std::string bytes_of(std::uint64_t n) {
  std::string s(8, '\0');
  std::memcpy(s.data(), &n, 8);
  return s;
}

}  // namespace

DwarfLocation locate(Dwarf_Attribute& attribute, const DwarfFrame& frame, DwarfLimits& limits) {
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  Dwarf_Word number = 0;
  Dwarf_Sword constant = 0;
  Dwarf_Block block;
  switch (dwarf_whatform(&attribute)) {
    case DW_FORM_data1:
    case DW_FORM_data2:
    case DW_FORM_data4:
    case DW_FORM_data8:
    case DW_FORM_udata:
      // Before DWARF 4 some of them point to a location list.
      if (dwarf_whatattr(&attribute) != DW_AT_const_value) break;
      // Compilers write negative ones in the forms below.
      if (dwarf_formudata(&attribute, &number) != 0) return {{.kind = Kind::unavailable}};
      return {{.kind = Kind::value, .bytes = bytes_of(number)}};
    case DW_FORM_sdata:
    case DW_FORM_implicit_const:
      if (dwarf_formsdata(&attribute, &constant) != 0) return {{.kind = Kind::unavailable}};
      return {{.kind = Kind::value, .bytes = bytes_of(static_cast<std::uint64_t>(constant))}};
    case DW_FORM_string:
    case DW_FORM_strp:
    case DW_FORM_line_strp:
    case DW_FORM_strx:
      if (const char* text = dwarf_formstring(&attribute))
        return {
            {.kind = Kind::value, .bytes = std::string(text, std::min(std::strlen(text) + 1, max_constant))}};
      return {{.kind = Kind::unavailable}};
    case DW_FORM_block1:
    case DW_FORM_block2:
    case DW_FORM_block4:
    case DW_FORM_block:
    case DW_FORM_data16:
      if (dwarf_whatattr(&attribute) != DW_AT_const_value) break;
      if (dwarf_formblock(&attribute, &block) != 0 || block.length > max_constant)
        return {{.kind = Kind::unavailable}};
      return {{.kind = Kind::value, .bytes = std::string(reinterpret_cast<char*>(block.data), block.length)}};
    default:
      break;
  }
  const int found = dwarf_getlocation_addr(&attribute, frame.pc, &ops, &count, 1);
  if (found <= 0) return {{.kind = found < 0 ? Kind::unavailable : Kind::optimized_out}};
  return evaluate(ops, count, frame, &attribute, limits);
}

std::optional<std::uint64_t> number_at(const DwarfLocation& location) {
  if (location.size() != 1) return std::nullopt;
  const auto& piece = location[0];
  if (piece.kind == Kind::memory) return piece.address;
  if (piece.kind != Kind::value) return std::nullopt;
  std::uint64_t n = 0;
  std::memcpy(&n, piece.bytes.data(), std::min<std::size_t>(piece.bytes.size(), 8));
  return n;
}

std::optional<int> named_register(const Dwarf_Op* ops, std::size_t count) {
  if (count != 1) return std::nullopt;
  if (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31) return ops[0].atom - DW_OP_reg0;
  if (ops[0].atom == DW_OP_regx && ops[0].number < 1000) return static_cast<int>(ops[0].number);
  return std::nullopt;
}

}  // namespace kdev::crash
