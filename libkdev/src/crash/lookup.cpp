// The nearest symbol of a bare address, as `nm -n FILE | grep` finds it, but by ranges.
#include <fmt/format.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <kdev/crash.hpp>
#include <kdev/error.hpp>
#include <sstream>

#include "common/elf_file.hpp"
#include "common/system_error.hpp"

namespace kdev {
namespace {

/// The addresses that a partly known one may be: every digit fixed or free.
struct Pattern {
  std::uint64_t value = 0;  ///< free digits 0
  std::uint64_t mask = 0;   ///< bits that are fixed
  std::uint64_t top = ~0ull;

  /// The lowest address meant that is at least `from`; false when there is none.
  bool next(std::uint64_t from, std::uint64_t& found) const {
    if ((from & mask) == value) {
      found = from;
      return from <= top;
    }
    // Raise a free digit of `from` (or take a greater fixed one), as far down as possible; below it all is
    // least.
    for (int shift = 0; shift < 64; shift += 4) {
      const std::uint64_t low = (1ull << shift) - 1;
      const std::uint64_t high = shift == 60 ? 0 : ~((1ull << (shift + 4)) - 1);
      if ((from & high & mask) != (value & high)) continue;
      const std::uint64_t digit = (from >> shift) & 15;
      const bool fixed = (mask >> shift) & 15;
      const std::uint64_t wanted = fixed ? (value >> shift) & 15 : digit + 1;
      if (wanted <= digit || wanted > 15) continue;
      found = (from & high) | (wanted << shift) | (value & low);
      return found <= top;
    }
    return false;
  }
};

std::string digits_of(std::string_view address) {
  std::string digits;
  if (address.starts_with("[<")) address.remove_prefix(2);
  if (address.starts_with("0x") || address.starts_with("0X")) address.remove_prefix(2);
  for (char c : address) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '>' || c == ']') break;
    if (c == '_' || c == ' ' || c == '`') continue;  // ffffffff`81000000
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == 'x'))
      throw FormatError({.attempted = "look up a symbol",
                         .reason = fmt::format("'{}' is no hexadecimal address", address),
                         .hint = "digits 0-9 and a-f; x for one that is not known",
                         .log = {}});
    digits += c;
  }
  return digits;
}

Pattern pattern_of(const std::string& digits, int width) {
  Pattern p;
  for (const char c : digits) {
    const std::uint64_t v = c == 'x' ? 0 : c <= '9' ? c - '0' : c - 'a' + 10;
    p.value = p.value << 4 | v;
    p.mask = p.mask << 4 | (c == 'x' ? 0 : 15);
  }
  const int missing = 4 * (width - static_cast<int>(digits.size()));
  if (missing > 0 && missing < 64) {
    p.value <<= missing;
    p.mask <<= missing;
  }
  if (width < 16) {
    p.top = (1ull << (4 * width)) - 1;
    p.mask |= ~p.top;
  }
  return p;
}

std::vector<SymbolMatch> matches(const std::vector<ElfSymbol>& symbols, const Pattern& pattern) {
  std::vector<SymbolMatch> found;
  for (const auto& symbol : symbols) {
    std::uint64_t address = 0;
    if (!pattern.next(symbol.address, address)) break;  // sorted: none for the later ones either
    const std::uint64_t offset = address - symbol.address;
    // An absolute symbol is a number that has nothing behind it, also where the next symbol is far off.
    const bool absolute = symbol.type == 'A' || symbol.type == 'a';
    if (offset != 0 && (absolute || offset >= symbol.extent)) continue;
    found.push_back({std::string(symbol.name), symbol.address, offset, symbol.type});
  }
  return found;
}

/// "ffffffff81000000 T _text" lines. The names are views into `text`.
std::vector<ElfSymbol> parse_system_map(const std::string& text, const Path& path, int& width) {
  std::vector<ElfSymbol> symbols;
  std::size_t begin = 0;
  const std::string_view all = text;
  while (begin < all.size()) {
    auto end = all.find('\n', begin);
    if (end == std::string_view::npos) end = all.size();
    const auto line = all.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    const auto blank = line.find(' ');
    ElfSymbol symbol;
    char* stop = nullptr;
    if (blank != std::string_view::npos && blank + 3 < line.size() && line[blank + 2] == ' ')
      symbol.address = std::strtoull(line.data(), &stop, 16);
    if (!stop || stop != line.data() + blank || blank > 16)
      throw FormatError({.attempted = "look up a symbol",
                         .reason = fmt::format("{} is neither an ELF file nor a System.map", path.string()),
                         .hint = "",
                         .log = {}});
    width = static_cast<int>(blank) > 8 ? 16 : 8;
    symbol.type = line[blank + 1];
    symbol.name = line.substr(blank + 3);
    if (symbol.type != 'U' && symbol.type != 'w') symbols.push_back(symbol);
  }
  std::stable_sort(symbols.begin(), symbols.end(), [](const ElfSymbol& a, const ElfSymbol& b) {
    return a.address != b.address ? a.address < b.address : a.name < b.name;
  });
  set_extents(symbols, {});
  return symbols;
}

bool is_elf(const Path& path) {
  char magic[4] = {};
  std::ifstream in(path.string(), std::ios::binary);
  if (!in) throw host_error("look up a symbol in " + path.string(), errno);
  in.read(magic, 4);
  return in.gcount() == 4 && std::memcmp(magic, "\177ELF", 4) == 0;
}

}  // namespace

std::vector<SymbolMatch> lookup_symbol(const Path& path, std::string_view address) {
  const std::string digits = digits_of(address);
  const bool elf = is_elf(path);
  std::optional<ElfFile> file;
  std::string map;
  int width = 16;
  std::vector<ElfSymbol> symbols;
  if (elf) {
    file.emplace(path, "look up a symbol");
    width = file->address_digits();
    symbols = file->symbols();
  } else {
    std::stringstream text;
    text << std::ifstream(path.string(), std::ios::binary).rdbuf();
    map = text.str();
    symbols = parse_system_map(map, path, width);
  }
  if (symbols.empty())
    throw FormatError({.attempted = "look up a symbol",
                       .reason = fmt::format("{} has no symbols", path.string()),
                       .hint = "use the file that was not stripped, or a System.map",
                       .log = {}});
  if (digits.empty() || static_cast<int>(digits.size()) > width)
    throw FormatError({.attempted = "look up a symbol",
                       .reason = fmt::format("'{}' has not 1 to {} digits", address, width),
                       .hint = "",
                       .log = {}});
  auto found = matches(symbols, pattern_of(digits, width));
  // "81000040" of a 64-bit kernel: nothing begins so, but the leading f's are often left out.
  if (found.empty() && width == 16 && digits.size() == 8)
    found = matches(symbols, pattern_of("ffffffff" + digits, width));
  return found;
}

std::vector<SymbolMatch> KernelArtifact::lookup(std::string_view address) const {
  boost::system::error_code ec;
  return lookup_symbol(!vmlinux.empty() && boost::filesystem::exists(vmlinux, ec) ? vmlinux : system_map,
                       address);
}

std::string read_build_id(const Path& elf) {
  return elf_build_id(elf);
}

}  // namespace kdev
