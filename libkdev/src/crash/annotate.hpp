#pragma once
#include <functional>
#include <kdev/crash.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "guest/symbol_rules.hpp"

namespace kdev::crash {

/// The frames of a printed symbol, as Symbolizer::at_symbol gives them; empty: not known for certain.
using FindFrames = std::function<std::vector<StackFrame>(const StackFrame& printed, bool return_address)>;

/// A console's text with the places of its symbols; see Symbolizer::decode. Linear time, throws for no
/// content.
std::string annotate(std::string_view text, const guest::SymbolRules& rules, bool source_text,
                     const FindFrames& find);

}  // namespace kdev::crash
