#include "crash/debug_info.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "crash/dwarf_ranges.hpp"
#include "crash/index_cache.hpp"
#include "crash/symbol_index_build.hpp"

namespace kdev::crash {
namespace {

constexpr std::size_t deepest_scope = 400;

/// From the function down to the innermost entry.
std::vector<Dwarf_Die> scopes_in(const Dwarf_Die& function, Dwarf_Addr pc) {
  std::vector<Dwarf_Die> chain{function};
  Dwarf_Die scope = function, child;
  while (chain.size() < deepest_scope && dwarf_child(&scope, &child) == 0) {
    bool deeper = false;
    do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) continue;
      if (dwarf_haspc(&child, pc) <= 0) continue;
      chain.push_back(scope = child);
      deeper = true;
      break;
    } while (dwarf_siblingof(&child, &child) == 0);
    if (!deeper) break;
  }
  return chain;
}

/// Without blocks, which are no functions.
std::vector<Dwarf_Die> inlined_at(std::vector<Dwarf_Die> scopes) {
  std::erase_if(scopes, [](Dwarf_Die& die) { return dwarf_tag(&die) == DW_TAG_lexical_block; });
  return scopes;
}

}  // namespace

struct DebugInfo::Dwarf_ {
  Dwarf* dwarf = nullptr;
  Dwarf_Addr bias = 0;
  Dwfl* dwfl = nullptr;  // relocatable files: libdwfl lays out the sections and applies the relocations
  Dwfl_Module* module = nullptr;
  Dwarf_CFI* eh = nullptr;  // of .eh_frame, when it is nobody else's
  Dwfl_Callbacks callbacks{};
  Sections loaded;  // where a module's sections lie
  Path path;
  bool opened = false;
  bool indexed = false;
  std::vector<DwarfRange> units;                           // by address
  std::map<Dwarf_Off, std::vector<DwarfRange>> functions;  // of a unit, by address

  ~Dwarf_() {
    if (eh) dwarf_cfi_end(eh);
    if (dwfl)
      dwfl_end(dwfl);  // owns `dwarf` then
    else if (dwarf)
      dwarf_end(dwarf);
  }

  static int find_file(Dwfl_Module*, void** self, const char*, Dwarf_Addr, char** name, Elf**) {
    const Path& path = static_cast<Dwarf_*>(*self)->path;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) *name = ::strdup(path.c_str());
    return fd;
  }
  static int section_address(Dwfl_Module*, void** self, const char*, Dwarf_Addr, const char* section,
                             GElf_Word, const GElf_Shdr*, Dwarf_Addr* address) {
    const auto& loaded = static_cast<Dwarf_*>(*self)->loaded;
    const auto it = loaded.find(section);
    *address = it == loaded.end() ? static_cast<Dwarf_Addr>(-1) : it->second;  // -1: was not loaded
    return 0;
  }

  /// From the first loaded section to the last one's end.
  std::pair<Dwarf_Addr, Dwarf_Addr> extent(const ElfFile& file) const {
    Dwarf_Addr low = static_cast<Dwarf_Addr>(-1), high = 0;
    std::size_t names = 0;
    elf_getshdrstrndx(file.handle(), &names);
    for (Elf_Scn* s = nullptr; (s = elf_nextscn(file.handle(), s));) {
      GElf_Shdr header;
      if (!gelf_getshdr(s, &header)) continue;
      const char* name = elf_strptr(file.handle(), names, header.sh_name);
      const auto it = name ? loaded.find(name) : loaded.end();
      if (it == loaded.end() || it->second > UINT64_MAX - header.sh_size) continue;
      low = std::min<Dwarf_Addr>(low, it->second);
      high = std::max<Dwarf_Addr>(high, it->second + header.sh_size);
    }
    return {std::min(low, high), high};
  }

  void open(const ElfFile& file) {
    if (opened) return;
    opened = true;
    if (!file.relocatable()) {
      dwarf = dwarf_begin_elf(file.handle(), DWARF_C_READ, nullptr);
      return;
    }
    callbacks.find_elf = [](Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) { return -1; };
    callbacks.find_debuginfo = [](Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                                  GElf_Word, char**) { return -1; };
    callbacks.section_address = dwfl_offline_section_address;
    if (!loaded.empty()) {
      callbacks.find_elf = find_file;
      callbacks.section_address = section_address;
    }
    dwfl = dwfl_begin(&callbacks);
    if (!dwfl) return;
    dwfl_report_begin(dwfl);
    if (loaded.empty()) {
      module = dwfl_report_offline(dwfl, file.path().filename().c_str(), file.path().c_str(), -1);
    } else {
      const auto [low, high] = extent(file);
      path = file.path();
      module = dwfl_report_module(dwfl, path.filename().c_str(), low, high);
      void** self = nullptr;
      if (module && dwfl_module_info(module, &self, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr))
        *self = this;
    }
    dwfl_report_end(dwfl, nullptr, nullptr);
    if (module) dwarf = dwfl_module_getdwarf(module, &bias);
  }

  /// Lays relative addresses into code of x86-64 that is `at` bytes into a section and lies at `address`.
  void relocate(const ElfFile& file, std::size_t section, std::uint64_t at, std::uint64_t address,
                std::string& code) const {
    for (Elf_Scn* s = nullptr; file.machine() == EM_X86_64 && (s = elf_nextscn(file.handle(), s));) {
      GElf_Shdr header;
      if (!gelf_getshdr(s, &header) || header.sh_type != SHT_RELA || header.sh_info != section) continue;
      Elf_Data* data = elf_getdata(s, nullptr);
      GElf_Rela rela;
      for (int i = 0; data && gelf_getrela(data, i, &rela); ++i) {
        const auto type = GELF_R_TYPE(rela.r_info);
        if (rela.r_offset < at || rela.r_offset - at + 4 > code.size()) continue;
        if (type != R_X86_64_PC32 && type != R_X86_64_PLT32) continue;
        GElf_Sym symbol;
        GElf_Addr value = 0;
        if (!dwfl_module_getsym_info(module, static_cast<int>(GELF_R_SYM(rela.r_info)), &symbol, &value,
                                     nullptr, nullptr, nullptr) ||
            symbol.st_shndx == SHN_UNDEF)
          continue;
        const auto place = rela.r_offset - at;
        const auto relative =
            static_cast<std::uint32_t>(value + static_cast<std::uint64_t>(rela.r_addend) - (address + place));
        std::memcpy(code.data() + place, &relative, sizeof(relative));
      }
    }
  }

  bool unit_at(Dwarf_Addr pc, Dwarf_Die* unit) {
    if (!dwarf) return false;
    if (!indexed && unit_by_aranges(dwarf, pc, unit)) return true;
    if (!indexed) units = unit_ranges(dwarf);
    indexed = true;
    const DwarfRange* range = find_range(units, pc);
    return range && dwarf_offdie(dwarf, range->die, unit);
  }

  const std::vector<DwarfRange>& functions_of(Dwarf_Die* unit) {
    auto [it, fresh] = functions.try_emplace(dwarf_dieoffset(unit));
    if (fresh) it->second = function_ranges(unit);
    return it->second;
  }
};

DebugInfo::DebugInfo(const Path& path, const std::string& attempted, Sections loaded, Path index_folder)
    : elf_(path, attempted), index_folder_(std::move(index_folder)), dwarf_(std::make_unique<Dwarf_>()) {
  dwarf_->loaded = std::move(loaded);
  if (use_index()) {
    if (auto known = index_->symbols())
      symbols_ = std::move(*known);
    else
      index_.reset();
  }
  // With an index, the DWARF is opened only when somebody asks for more than it has.
  if (!index_) dwarf_->open(elf_);
  if (index_) {
  } else if (!elf_.relocatable()) {
    symbols_ = elf_.symbols();
  } else if (dwarf_->module) {
    const int count = dwfl_module_getsymtab(dwarf_->module);
    std::vector<std::uint64_t> ends;
    for (int i = 0; i < count; ++i) {
      GElf_Sym symbol;
      GElf_Addr address = 0;
      const char* name =
          dwfl_module_getsym_info(dwarf_->module, i, &symbol, &address, nullptr, nullptr, nullptr);
      const int type = GELF_ST_TYPE(symbol.st_info);
      if (!name || !*name || symbol.st_shndx == SHN_UNDEF || type == STT_SECTION || type == STT_FILE)
        continue;
      symbols_.push_back({.address = address,
                          .size = symbol.st_size,
                          .extent = 0,
                          .name = name,
                          .type = '?',
                          .function = type == STT_FUNC});
    }
    Dwarf_Addr end = 0;
    dwfl_module_info(dwarf_->module, nullptr, nullptr, &end, nullptr, nullptr, nullptr, nullptr);
    ends.push_back(end);
    std::sort(symbols_.begin(), symbols_.end(), [](const ElfSymbol& a, const ElfSymbol& b) {
      return a.address != b.address ? a.address < b.address : a.name < b.name;
    });
    set_extents(symbols_, ends);
  }
}

DebugInfo::~DebugInfo() = default;

bool DebugInfo::has_dwarf() const {
  return index_ || dwarf();
}

Dwarf* DebugInfo::dwarf() const {
  dwarf_->open(elf_);
  return dwarf_->dwarf;
}

bool DebugInfo::use_index() {
  if (index_) return true;
  if (index_folder_.empty() || elf_.relocatable() || !dwarf_->loaded.empty()) return false;
  const std::string described = describe(elf_);
  if (described.empty()) return false;
  const Path path = index_path(index_folder_, elf_, described);
  index_ = SymbolIndex::open(path, described);
  if (index_) touch_index(path);
  return index_ != nullptr;
}

Path DebugInfo::write_index(const Path& folder) const {
  const std::string described = folder.empty() || elf_.relocatable() ? std::string() : describe(elf_);
  if (described.empty() || !dwarf()) return {};
  const Path path = index_path(folder, elf_, described);
  if (const auto there = SymbolIndex::open(path, described); there && there->whole()) return path;
  return crash::write_index(path, build_symbol_index(dwarf(), symbols_, described)) ? path : Path();
}

std::vector<CallFrames> DebugInfo::call_frames() const {
  std::vector<CallFrames> found;
  CallFrames f;
  dwarf_->open(elf_);
  if (dwarf_->module) {
    if ((f.cfi = dwfl_module_dwarf_cfi(dwarf_->module, &f.bias))) found.push_back(f);
    f = {};
    if ((f.cfi = dwfl_module_eh_cfi(dwarf_->module, &f.bias))) found.push_back(f);
    return found;
  }
  if (dwarf_->dwarf && (f.cfi = dwarf_getcfi(dwarf_->dwarf))) found.push_back(f);
  if (!dwarf_->eh) dwarf_->eh = dwarf_getcfi_elf(elf_.handle());
  f.cfi = dwarf_->eh;
  if (f.cfi) found.push_back(f);
  return found;
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

const ElfSymbol* DebugInfo::data_around(std::uint64_t address) const {
  auto it = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](std::uint64_t a, const ElfSymbol& s) { return a < s.address; });
  for (int back = 0; it != symbols_.begin() && back < 16; ++back) {
    --it;
    if (!it->function && address - it->address < it->size) return &*it;
  }
  return nullptr;
}

std::string DebugInfo::code(std::uint64_t address, std::size_t size) const {
  if (!elf_.relocatable()) return std::string(elf_.bytes_at(address, size));
  dwarf_->open(elf_);
  if (!dwarf_->module) return {};
  Dwarf_Addr at = address, bias = 0;
  Elf_Scn* section = dwfl_module_address_section(dwarf_->module, &at, &bias);
  const Elf_Data* data = section ? elf_rawdata(section, nullptr) : nullptr;
  if (!data || !data->d_buf || at >= data->d_size) return {};
  std::string bytes(static_cast<const char*>(data->d_buf) + at,
                    std::min<std::size_t>(size, data->d_size - at));
  dwarf_->relocate(elf_, elf_ndxscn(section), at, address, bytes);
  return bytes;
}

DwarfScopes DebugInfo::scopes(std::uint64_t address) const {
  auto& d = *dwarf_;
  d.open(elf_);
  DwarfScopes found{.pc = address - d.bias, .bias = d.bias};
  found.covered = d.unit_at(found.pc, &found.unit);
  if (!found.covered) return found;
  const DwarfRange* function = find_range(d.functions_of(&found.unit), found.pc);
  Dwarf_Die die;
  if (function && dwarf_offdie(d.dwarf, function->die, &die)) found.entries = scopes_in(die, found.pc);
  return found;
}

std::vector<SourceStep> DebugInfo::expand(std::uint64_t address) const {
  if (index_) {
    if (auto steps = index_->expand(address)) return std::move(*steps);
  }
  auto found = scopes(address);
  if (!found.covered) return {};
  const char* dir = string_attribute(&found.unit, DW_AT_comp_dir);
  std::string file;
  int line = 0;
  const auto take = [&](Dwarf_Line* row) {
    file = joined(dir, dwarf_linesrc(row, nullptr, nullptr));
    dwarf_lineno(row, &line);
  };
  Dwarf_Line* row = dwarf_getsrc_die(&found.unit, found.pc);
  if (row) take(row);
  if (found.entries.empty()) {
    // Assembly has lines, and symbols for names.
    if (line <= 0) return {};
    return {{.function = {}, .file = file, .line = line, .inlined = false}};
  }
  std::vector<Dwarf_Die> chain = inlined_at(found.entries);
  // Of no line: the compiler merged code of several.
  if (row && line == 0) {
    const auto same = [&](Dwarf_Addr at) {
      const DwarfRange* there = find_range(dwarf_->functions_of(&found.unit), at);
      if (!there || there->die != dwarf_dieoffset(&chain.front())) return false;
      auto other = inlined_at(scopes_in(chain.front(), at));
      return dwarf_dieoffset(&other.back()) == dwarf_dieoffset(&chain.back());
    };
    if (Dwarf_Line* before = line_before(&found.unit, found.pc, same)) take(before);
  }

  std::vector<SourceStep> steps;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  dwarf_getsrcfiles(&found.unit, &files, &count);
  for (std::size_t i = chain.size(); i-- > 0;) {
    const char* name = dwarf_diename(&chain[i]);
    steps.push_back({.function = name ? name : "", .file = file, .line = line, .inlined = i > 0});
    if (i == 0) break;
    // Where this one was inlined is the line in the next.
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    file.clear();
    line = 0;
    if (dwarf_formudata(dwarf_attr(&chain[i], DW_AT_call_file, &attribute), &value) == 0 && files &&
        value < count)
      file = joined(dir, dwarf_filesrc(files, value, nullptr, nullptr));
    if (dwarf_formudata(dwarf_attr(&chain[i], DW_AT_call_line, &attribute), &value) == 0)
      line = static_cast<int>(value);
  }
  return steps;
}

}  // namespace kdev::crash
