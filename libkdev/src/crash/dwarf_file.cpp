#include "crash/dwarf_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace kdev::crash {
namespace {

/// Each section's header with its name.
template <class Take>
void each_section(Elf* elf, Take take) {
  std::size_t names = 0;
  elf_getshdrstrndx(elf, &names);
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    if (const char* name = elf_strptr(elf, names, header.sh_name)) take(name, header);
  }
}

}  // namespace

DwarfFile::~DwarfFile() {
  if (eh_) dwarf_cfi_end(eh_);
  if (dwfl_)
    dwfl_end(dwfl_);
  else if (dwarf_)
    dwarf_end(dwarf_);
}

Dwarf* DwarfFile::dwarf() {
  open();
  return dwarf_;
}

Dwarf_Addr DwarfFile::bias() {
  open();
  return bias_;
}

int DwarfFile::find_file(Dwfl_Module*, void** self, const char*, Dwarf_Addr, char** name, Elf**) {
  const ElfFile& file = static_cast<DwarfFile*>(*self)->file_;
  const int fd = file.descriptor();
  if (fd >= 0) *name = ::strdup(file.path().c_str());
  return fd;
}

int DwarfFile::section_address(Dwfl_Module*, void** self, const char*, Dwarf_Addr, const char* section,
                               GElf_Word, const GElf_Shdr*, Dwarf_Addr* address) {
  const auto& loaded = static_cast<DwarfFile*>(*self)->loaded_;
  const auto it = loaded.find(section);
  *address = it == loaded.end() ? static_cast<Dwarf_Addr>(-1) : it->second;  // -1: was not loaded
  return 0;
}

std::pair<Dwarf_Addr, Dwarf_Addr> DwarfFile::loaded_extent() const {
  Dwarf_Addr low = static_cast<Dwarf_Addr>(-1), high = 0;
  each_section(file_.handle(), [&](const char* name, const GElf_Shdr& header) {
    const auto it = loaded_.find(name);
    if (it == loaded_.end() || it->second > UINT64_MAX - header.sh_size) return;
    low = std::min<Dwarf_Addr>(low, it->second);
    high = std::max<Dwarf_Addr>(high, it->second + header.sh_size);
  });
  return {std::min(low, high), high};
}

void DwarfFile::open() {
  if (opened_) return;
  opened_ = true;
  if (!file_.relocatable()) {
    dwarf_ = dwarf_begin_elf(file_.handle(), DWARF_C_READ, nullptr);
    return;
  }
  callbacks_.find_elf = [](Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) { return -1; };
  callbacks_.find_debuginfo = [](Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                                 GElf_Word, char**) { return -1; };
  callbacks_.section_address = dwfl_offline_section_address;
  if (!loaded_.empty()) {
    callbacks_.find_elf = find_file;
    callbacks_.section_address = section_address;
  }
  dwfl_ = dwfl_begin(&callbacks_);
  if (!dwfl_) return;
  dwfl_report_begin(dwfl_);
  if (loaded_.empty()) {
    const int fd = file_.descriptor();
    module_ = dwfl_report_offline(dwfl_, file_.path().filename().c_str(), file_.path().c_str(), fd);
    if (!module_ && fd >= 0) ::close(fd);
  } else {
    const auto [low, high] = loaded_extent();
    module_ = dwfl_report_module(dwfl_, file_.path().filename().c_str(), low, high);
    void** self = nullptr;
    if (module_ && dwfl_module_info(module_, &self, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr))
      *self = this;
  }
  dwfl_report_end(dwfl_, nullptr, nullptr);
  if (module_) dwarf_ = dwfl_module_getdwarf(module_, &bias_);
}

std::vector<CallFrames> DwarfFile::call_frames() {
  std::vector<CallFrames> found;
  CallFrames f;
  open();
  if (module_) {
    if ((f.cfi = dwfl_module_dwarf_cfi(module_, &f.bias))) found.push_back(f);
    f = {};
    if ((f.cfi = dwfl_module_eh_cfi(module_, &f.bias))) found.push_back(f);
    return found;
  }
  if (dwarf_ && (f.cfi = dwarf_getcfi(dwarf_))) found.push_back(f);
  if (!eh_) eh_ = dwarf_getcfi_elf(file_.handle());
  f.cfi = eh_;
  if (f.cfi) found.push_back(f);
  return found;
}

std::vector<ElfSymbol> DwarfFile::module_symbols() {
  std::vector<ElfSymbol> symbols;
  open();
  if (!module_) return symbols;
  const int count = dwfl_module_getsymtab(module_);
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    const char* name = dwfl_module_getsym_info(module_, i, &symbol, &address, nullptr, nullptr, nullptr);
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (!name || !*name || symbol.st_shndx == SHN_UNDEF || type == STT_SECTION || type == STT_FILE) continue;
    symbols.push_back({.address = address,
                       .size = symbol.st_size,
                       .extent = 0,
                       .name = name,
                       .type = '?',
                       .function = type == STT_FUNC});
  }
  Dwarf_Addr end = 0;
  dwfl_module_info(module_, nullptr, nullptr, &end, nullptr, nullptr, nullptr, nullptr);
  order_symbols(symbols, {end});
  return symbols;
}

std::vector<SectionPlace> DwarfFile::layout() {
  std::vector<SectionPlace> places;
  open();
  GElf_Addr bias = 0;
  Elf* elf = module_ ? dwfl_module_getelf(module_, &bias) : nullptr;
  if (!elf) return places;
  each_section(elf, [&](const char* name, const GElf_Shdr& header) {
    if (header.sh_flags & SHF_ALLOC) places.push_back({name, header.sh_addr + bias, header.sh_size});
  });
  return places;
}

std::string DwarfFile::code(std::uint64_t address, std::size_t size) {
  if (!file_.relocatable()) return std::string(file_.bytes_at(address, size));
  open();
  if (!module_) return {};
  Dwarf_Addr at = address, bias = 0;
  Elf_Scn* section = dwfl_module_address_section(module_, &at, &bias);
  const Elf_Data* data = section ? elf_rawdata(section, nullptr) : nullptr;
  if (!data || !data->d_buf || at >= data->d_size) return {};
  std::string bytes(static_cast<const char*>(data->d_buf) + at,
                    std::min<std::size_t>(size, data->d_size - at));
  relocate(elf_ndxscn(section), at, address, bytes);
  return bytes;
}

/// Lays relative addresses into code of x86-64 that is `at` bytes into a section and lies at `address`.
void DwarfFile::relocate(std::size_t section, std::uint64_t at, std::uint64_t address,
                         std::string& code) const {
  for (Elf_Scn* s = nullptr; file_.machine() == EM_X86_64 && (s = elf_nextscn(file_.handle(), s));) {
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
      if (!dwfl_module_getsym_info(module_, static_cast<int>(GELF_R_SYM(rela.r_info)), &symbol, &value,
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

}  // namespace kdev::crash
