#pragma once
// The facts of a report in its JSON.
#include <kdev/crash_facts.hpp>

#include "common/json.hpp"

namespace kdev::crash {

json::object to_value(const FaultInfo& fault);
json::object to_value(const PoisonedRegister& poison);
json::object to_value(const SlabObject& object);
/// FormatError.
FaultInfo fault_from(const json::object& o);
PoisonedRegister poison_from(const json::object& o);
SlabObject slab_object_from(const json::object& o);

/// FormatError: the member of a report is none.
[[noreturn]] void bad_member(std::string_view key, const char* wanted);
/// Unsigned 64-bit numbers as hex strings: JSON's numbers lose digits in most readers.
std::string hex_number(std::uint64_t v);
/// FormatError.
std::uint64_t get_hex_number(const json::object& o, std::string_view key);

}  // namespace kdev::crash
