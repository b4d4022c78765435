#include "crash/demangle.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "crash/demangle_rust.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t max_symbol = 512;
constexpr int max_references = 16;

/// Each reference to what was said before ("S0_", "T_") may double the text, and the library knows no bound:
/// 200 bytes can mean gigabytes.
bool may_explode(std::string_view symbol) {
  int references = 0;
  bool open = false;
  for (const char c : symbol) {
    references += open && c == '_';
    if (c == 'S' || c == 'T')
      open = true;
    else if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z'))
      open = false;
  }
  return references > max_references;
}

/// "a::b(int)" -> "a::b": the arguments begin with the first parenthesis outside of <>.
std::string_view without_arguments(std::string_view name) {
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    depth += name[i] == '<';
    depth -= name[i] == '>';
    if (name[i] == '(' && depth == 0 && i > 0) return name.substr(0, i);
  }
  return name;
}

/// Rust's legacy mangling ends with "::h" and 16 digits.
std::string_view without_hash(std::string_view name) {
  if (name.size() < 20 || name.substr(name.size() - 19, 3) != "::h") return name;
  const auto digits = name.substr(name.size() - 16);
  return digits.find_first_not_of("0123456789abcdef") == digits.npos ? name.substr(0, name.size() - 19)
                                                                     : name;
}

}  // namespace

std::string demangled(std::string_view symbol) {
  if (auto rust = demangled_rust(symbol)) return *std::move(rust);
  if (!symbol.starts_with("_Z") || symbol.size() > max_symbol || may_explode(symbol))
    return std::string(symbol);
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status), &std::free);
  if (!text || status != 0) return std::string(symbol);
  return std::string(without_hash(without_arguments(text.get())));
}

}  // namespace kdev::crash
