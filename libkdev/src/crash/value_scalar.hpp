#pragma once
// Numbers, enumerators, pointers and texts as gdb prints them.
#include <string>
#include <string_view>

#include "crash/dwarf_value.hpp"

namespace kdev::crash {

/// `type` is peeled. `bytes`: lowest first, as many as it has.
std::string scalar_text(Dwarf_Die type, std::string_view bytes, const ValueSurroundings& around);
/// `bit`: the field's lowest, in the first byte.
std::string bit_field_text(Dwarf_Die type, std::string_view bytes, unsigned bit, unsigned bits);
/// A text in quotes, escaped, of at most 200 characters. `array`: zero bytes at its end are left out.
std::string quoted(std::string_view text, bool array);

}  // namespace kdev::crash
