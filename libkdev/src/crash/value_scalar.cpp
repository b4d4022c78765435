#include "crash/value_scalar.hpp"

#include <dwarf.h>
#include <fmt/format.h>

#include <cstring>

#include "crash/dwarf_type.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t longest_text = 200;  // gdb's `print elements`
constexpr int max_enumerators = 4096;

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t n = 0;
  std::memcpy(&n, bytes.data(), std::min<std::size_t>(bytes.size(), 8));
  return n;
}

std::int64_t extended(std::uint64_t n, unsigned bits) {
  if (bits == 0 || bits >= 64) return static_cast<std::int64_t>(n);
  return static_cast<std::int64_t>(n << (64 - bits)) >> (64 - bits);
}

/// A character between quotes of a kind.
std::string escaped(unsigned char c, char quote) {
  switch (c) {
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\v':
      return "\\v";
    case '\f':
      return "\\f";
    case '\r':
      return "\\r";
    default:
      if (c == static_cast<unsigned char>(quote) || c == '\\') return {'\\', static_cast<char>(c)};
      if (c < 0x20 || c >= 0x7f) return fmt::format("\\{:03o}", c);
      return {static_cast<char>(c)};
  }
}

std::string enumerator_text(Dwarf_Die& type, std::uint64_t n, unsigned bits) {
  Dwarf_Die child;
  if (dwarf_child(&type, &child) != 0) return fmt::format("{}", n);
  const std::uint64_t mask = bits >= 64 ? ~0ull : (1ull << bits) - 1;
  std::uint64_t seen = 0, known = 0;
  bool flags = true, negative = false;
  std::string sum;
  int count = 0;
  do {
    Dwarf_Attribute attribute;
    Dwarf_Sword value = 0;
    const char* name = dwarf_diename(&child);
    if (dwarf_tag(&child) != DW_TAG_enumerator || !name ||
        dwarf_formsdata(dwarf_attr(&child, DW_AT_const_value, &attribute), &value) != 0)
      continue;
    const auto v = static_cast<std::uint64_t>(value) & mask;
    if (v == (n & mask)) return name;
    negative |= value < 0;
    // Each a bit of its own: their sum says something, too.
    if (v & (v - 1) || v & seen) flags = false;
    seen |= v;
    if (v & n) {
      sum += (sum.empty() ? "" : " | ") + std::string(name);
      known |= v;
    }
  } while (++count < max_enumerators && dwarf_siblingof(&child, &child) == 0);
  if (negative) return fmt::format("{}", extended(n, bits));
  if (!flags || sum.empty()) return fmt::format("{}", n);
  const auto rest = (n & mask) & ~known;
  return rest ? fmt::format("({} | unknown: {:#x})", sum, rest) : fmt::format("({})", sum);
}

std::string integer_text(unsigned encoding, std::uint64_t n, unsigned bits) {
  switch (encoding) {
    case DW_ATE_boolean:
      return n > 1 ? fmt::format("{}", n) : n ? "true" : "false";
    case DW_ATE_signed_char:
      return fmt::format("{} '{}'", extended(n, bits), escaped(static_cast<unsigned char>(n), '\''));
    case DW_ATE_unsigned_char:
      return fmt::format("{} '{}'", n, escaped(static_cast<unsigned char>(n), '\''));
    case DW_ATE_signed:
      return fmt::format("{}", extended(n, bits));
    case DW_ATE_address:
      return fmt::format("{:#x}", n);
    default:
      return fmt::format("{}", n);
  }
}

bool is_text(std::string_view text) {
  for (const char c : text)
    if (!(c >= 0x20 && c < 0x7f) && c != '\n' && c != '\t' && c != '\r') return false;
  return true;
}

/// What a char pointer points to, where that is a text.
std::string text_at(std::uint64_t address, const ValueSurroundings& around) {
  if (!around.memory || address == 0) return {};
  const auto text = around.memory->text(address, longest_text + 1);
  char c = 0;
  if (text.empty() && !around.memory->read(address, &c, 1)) return {};
  return is_text(text) ? " " + quoted(text, false) : std::string();
}

std::string pointer_text(Dwarf_Die& type, std::uint64_t n, const ValueSurroundings& around) {
  std::string text = fmt::format("{:#x}", n);
  Dwarf_Die target;
  const bool typed = type_of(type, target) && peel(target);
  const unsigned encoding = typed ? encoding_of(target) : 0;
  if ((encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char) && size_of_type(target) == 1u)
    return text + text_at(n, around);
  if (n && around.symbol)
    if (const auto name = around.symbol(n); !name.empty()) text += fmt::format(" <{}>", name);
  return text;
}

}  // namespace

std::string scalar_text(Dwarf_Die type, std::string_view bytes, const ValueSurroundings& around) {
  const auto n = number_of(bytes);
  const auto bits = static_cast<unsigned>(bytes.size() * 8);
  switch (dwarf_tag(&type)) {
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
      return pointer_text(type, n, around);
    case DW_TAG_enumeration_type:
      return enumerator_text(type, n, bits);
    default:
      break;
  }
  const auto encoding = encoding_of(type);
  if (encoding == DW_ATE_float && bytes.size() == 4) {
    float f = 0;
    std::memcpy(&f, bytes.data(), 4);
    return fmt::format("{:.9g}", f);
  }
  if (encoding == DW_ATE_float && bytes.size() == 8) {
    double d = 0;
    std::memcpy(&d, bytes.data(), 8);
    return fmt::format("{:.17g}", d);
  }
  if (bytes.size() == 16 && encoding != DW_ATE_float) {
    unsigned __int128 wide = 0;
    std::memcpy(&wide, bytes.data(), 16);
    return encoding == DW_ATE_signed ? fmt::format("{}", static_cast<__int128>(wide))
                                     : fmt::format("{}", wide);
  }
  if (bytes.size() > 8) {
    std::string digits;
    for (std::size_t i = std::min<std::size_t>(bytes.size(), 64); i-- > 0;)
      digits += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
    return "0x" + digits;
  }
  return integer_text(encoding, n, bits);
}

std::string bit_field_text(Dwarf_Die type, std::string_view bytes, unsigned bit, unsigned bits) {
  auto n = number_of(bytes) >> bit;
  if (bytes.size() > 8 && bit)
    n |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[8])) << (64 - bit);
  if (bits < 64) n &= (1ull << bits) - 1;
  if (!peel(type)) return fmt::format("{}", n);
  if (dwarf_tag(&type) == DW_TAG_enumeration_type) return enumerator_text(type, n, bits);
  return integer_text(encoding_of(type), n, bits);
}

std::string quoted(std::string_view text, bool array) {
  if (array) {
    const auto last = text.find_last_not_of('\0');
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  std::string out = "\"";
  for (const char c : text.substr(0, longest_text)) out += escaped(static_cast<unsigned char>(c), '"');
  return out + (text.size() > longest_text ? "\"..." : "\"");
}

}  // namespace kdev::crash
