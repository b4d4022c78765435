#include "crash/debug_info.hpp"

#include <algorithm>
#include <kdev/error.hpp>
#include <thread>

#include "crash/dwarf_ranges.hpp"
#include "crash/index_cache.hpp"
#include "crash/symbol_index_build.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t few = 32;       // addresses that no further thread is worth
constexpr unsigned most_threads = 4;  // each reads the headers of all units

unsigned threads() {
  return std::min(std::max(std::thread::hardware_concurrency(), 1u), most_threads);
}

}  // namespace

DebugInfo::DebugInfo(const Path& path, const std::string& attempted, Sections loaded, Path index_folder)
    : elf_(path, attempted), index_folder_(std::move(index_folder)), dwarf_(elf_, std::move(loaded)) {
  if (use_index()) return;
  symbols_ = elf_.relocatable() ? dwarf_.module_symbols() : elf_.symbols();
}

DebugInfo::~DebugInfo() = default;

bool DebugInfo::has_dwarf() const {
  return index_ || dwarf();
}

bool DebugInfo::use_index() {
  if (index_) return true;
  if (index_folder_.empty()) return false;
  const std::string described = describe(elf_);
  if (described.empty()) return false;
  const Path path = index_path(index_folder_, elf_, described);
  auto index = SymbolIndex::open(path, described);
  const auto sections = index ? index->sections() : std::nullopt;
  if (!sections) return false;
  if (!dwarf_.loaded().empty()) moved_.emplace(*sections, dwarf_.loaded());
  if (symbols_.empty()) {  // else they are known, and pointed to
    auto symbols = index->symbols();
    if (!symbols) return false;
    if (moved_) moved_->move(*symbols, dwarf_.loaded_extent().second);
    symbols_ = std::move(*symbols);
  }
  index_ = std::move(index);
  index_file_ = path;
  touch_index(path);
  return true;
}

Path DebugInfo::write_index(const Path& folder) const {
  return crash::write_index(elf_, folder);
}

Path write_index(const ElfFile& file, const Path& folder) {
  const std::string described = folder.empty() ? std::string() : describe(file);
  if (described.empty()) return {};
  const Path path = index_path(folder, file, described);
  const auto there = [&] {
    const auto index = SymbolIndex::open(path, described);
    return index && index->whole();
  };
  if (there()) return path;
  // Of a module, all is where libdwfl lays its sections out.
  DwarfFile dwarf(file, {});
  if (!dwarf.dwarf() || dwarf.bias() != 0) return {};
  const IndexLock lock(folder);
  if (there()) return path;  // somebody else has made it meanwhile
  const auto symbols = file.relocatable() ? dwarf.module_symbols() : file.symbols();
  store_index(path, build_symbol_index({dwarf.dwarf(), symbols, dwarf.layout()}, described));
  return path;
}

std::string DebugInfo::tree(std::string_view known_source) const {
  if (known_source.empty()) return {};
  const std::string end = "/" + std::string(known_source);
  std::string found;
  std::optional<std::vector<std::string>> names;
  if (index_) names = index_->units();
  if (names) {
    const auto it =
        std::find_if(names->begin(), names->end(), [&](const auto& name) { return name.ends_with(end); });
    if (it != names->end()) found = *it;
  } else {
    found = unit_named(dwarf(), end);
  }
  return found.substr(0, found.size() - std::min(found.size(), end.size()));
}

/// Only where names are asked for: of a kernel's symbols it takes as long as opening an index.
void DebugInfo::sort_by_name() const {
  by_name_.reserve(symbols_.size());
  for (const auto& symbol : symbols_)
    if (symbol.function) by_name_.push_back(&symbol);
  std::stable_sort(by_name_.begin(), by_name_.end(),
                   [](const ElfSymbol* a, const ElfSymbol* b) { return a->name < b->name; });
}

std::vector<const ElfSymbol*> DebugInfo::named(std::string_view name) const {
  if (by_name_.empty()) sort_by_name();
  auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [](const ElfSymbol* s, std::string_view n) { return s->name < n; });
  std::vector<const ElfSymbol*> result;
  for (; it != by_name_.end() && (*it)->name == name; ++it) result.push_back(*it);
  return result;
}

const ElfSymbol* DebugInfo::covering(std::uint64_t address) const {
  auto it = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](std::uint64_t a, const ElfSymbol& s) { return a < s.address; });
  for (int back = 0; it != symbols_.begin() && back < 16; ++back) {
    --it;
    if (it->function && address - it->address < std::max(it->extent, it->size)) return &*it;
  }
  return nullptr;
}

const ElfSymbol* DebugInfo::alias(const ElfSymbol& of, std::string_view name) const {
  auto it = std::lower_bound(symbols_.begin(), symbols_.end(), of.address,
                             [](const ElfSymbol& s, std::uint64_t a) { return s.address < a; });
  for (int more = 0; it != symbols_.end() && it->address == of.address && more < 16; ++it, ++more)
    if (it->function && it->name == name) return &*it;
  return nullptr;
}

const ElfSymbol* DebugInfo::data_around(std::uint64_t address) const {
  auto it = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](std::uint64_t a, const ElfSymbol& s) { return a < s.address; });
  for (int back = 0; it != symbols_.begin() && back < 16; ++back) {
    --it;
    if (!it->function && address - it->address < it->size) return &*it;
  }
  return nullptr;
}

DwarfLookup& DebugInfo::lookup() const {
  if (!lookup_) lookup_.emplace(dwarf());
  return *lookup_;
}

DwarfScopes DebugInfo::scopes(std::uint64_t address) const {
  if (!dwarf()) return {.pc = address};
  auto found = lookup().scopes(address - dwarf_.bias());
  found.bias = dwarf_.bias();
  return found;
}

std::vector<SourceStep> DebugInfo::expand(std::uint64_t address) const {
  if (index_) {
    const auto at = moved_ ? moved_->to_index(address) : address;
    if (!at) return {};
    if (auto steps = index_->expand(*at)) return std::move(*steps);
  }
  if (!dwarf()) return {};
  return lookup().expand(address - dwarf_.bias());
}

std::vector<std::vector<SourceStep>> DebugInfo::expand_all(
    const std::vector<std::uint64_t>& addresses) const {
  if (!index_ && !elf_.relocatable() && addresses.size() > few && threads() > 1 && dwarf()) {
    try {
      if (!lookups_) lookups_ = std::make_unique<ParallelLookup>(elf_, lookup().units(), threads());
      return lookups_->expand(addresses);
    } catch (const HostError&) {
      // No handle for a further thread: this one alone, then.
    }
  }
  std::vector<std::vector<SourceStep>> found;
  found.reserve(addresses.size());
  for (const std::uint64_t address : addresses) found.push_back(expand(address));
  return found;
}

}  // namespace kdev::crash
