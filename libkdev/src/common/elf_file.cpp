#include "common/elf_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <kdev/error.hpp>
#include <memory>

#include "common/digest.hpp"
#include "common/system_error.hpp"

namespace kdev {

ElfFile::ElfFile(const Path& path, const std::string& attempted) : path_(path) {
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) throw host_error(fmt::format("{} in {}", attempted, path.string()), errno);
  elf_version(EV_CURRENT);
  elf_ = elf_begin(fd_, ELF_C_READ_MMAP, nullptr);
  GElf_Ehdr header;
  if (!elf_ || elf_kind(elf_) != ELF_K_ELF || !gelf_getehdr(elf_, &header)) {
    if (elf_) elf_end(elf_);
    ::close(fd_);
    throw FormatError({.attempted = attempted,
                       .reason = fmt::format("{} is no ELF file", path.string()),
                       .hint = "give the kernel as it was linked, or a module: not a compressed image",
                       .log = {}});
  }
  relocatable_ = header.e_type == ET_REL;
  digits_ = gelf_getclass(elf_) == ELFCLASS32 ? 8 : 16;
}

ElfFile::ElfFile(ElfFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(other.fd_),
      elf_(other.elf_),
      relocatable_(other.relocatable_),
      digits_(other.digits_) {
  other.fd_ = -1;
  other.elf_ = nullptr;
}

ElfFile ElfFile::another() const {
  ElfFile file;
  file.path_ = path_;
  file.relocatable_ = relocatable_;
  file.digits_ = digits_;
  file.fd_ = descriptor();
  if (file.fd_ >= 0) file.elf_ = elf_begin(file.fd_, ELF_C_READ_MMAP, nullptr);
  if (!file.elf_) throw host_error(fmt::format("read {} once more", path_.string()), errno);
  return file;
}

int ElfFile::descriptor() const {
  return ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
}

ElfFile::~ElfFile() {
  if (elf_) elf_end(elf_);
  if (fd_ >= 0) ::close(fd_);
}

int ElfFile::machine() const {
  GElf_Ehdr header;
  return gelf_getehdr(elf_, &header) ? header.e_machine : EM_NONE;
}

std::string ElfFile::build_id() const {
  const void* bytes = nullptr;
  const auto n = dwelf_elf_gnu_build_id(elf_, &bytes);
  return n > 0 ? hex_of({static_cast<const char*>(bytes), static_cast<std::size_t>(n)}) : "";
}

bool ElfFile::has_segment(unsigned type) const {
  std::size_t count = 0;
  if (elf_getphdrnum(elf_, &count) != 0) return false;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_, static_cast<int>(i), &segment) && segment.p_type == type) return true;
  }
  return false;
}

std::optional<std::uint64_t> ElfFile::shared_base() const {
  GElf_Ehdr header;
  std::size_t count = 0;
  if (!gelf_getehdr(elf_, &header) || header.e_type != ET_DYN || elf_getphdrnum(elf_, &count) != 0)
    return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_, static_cast<int>(i), &segment) && segment.p_type == PT_LOAD)
      return segment.p_vaddr & ~std::uint64_t{4095};
  }
  return std::nullopt;
}

std::string elf_build_id_in(std::string content, const std::string& name) {
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_memory(content.data(), content.size()), &elf_end);
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
    throw FormatError({.attempted = "read the build id",
                       .reason = fmt::format("{} is no ELF file", name),
                       .hint = "",
                       .log = {}});
  const void* bytes = nullptr;
  const auto n = dwelf_elf_gnu_build_id(elf.get(), &bytes);
  return n > 0 ? hex_of({static_cast<const char*>(bytes), static_cast<std::size_t>(n)}) : "";
}

std::string elf_build_id(const Path& path) {
  return ElfFile(path, "read the build id").build_id();
}

char symbol_letter(const GElf_Sym& symbol, const GElf_Shdr* section) {
  const int bind = GELF_ST_BIND(symbol.st_info);
  if (symbol.st_shndx == SHN_COMMON) return 'C';
  if (bind == STB_WEAK) return GELF_ST_TYPE(symbol.st_info) == STT_OBJECT ? 'V' : 'W';
  if (bind == STB_GNU_UNIQUE) return 'u';
  char letter = '?';
  if (symbol.st_shndx == SHN_ABS)
    letter = 'a';
  else if (!section)
    letter = '?';
  else if (section->sh_flags & SHF_EXECINSTR)
    letter = 't';
  else if (section->sh_type == SHT_NOBITS)
    letter = 'b';
  else if (section->sh_flags & SHF_WRITE)
    letter = 'd';
  else if (section->sh_flags & SHF_ALLOC)
    letter = 'r';
  else
    letter = 'n';
  return bind == STB_GLOBAL && letter != '?' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

void set_extents(std::vector<ElfSymbol>& symbols, const std::vector<std::uint64_t>& ends) {
  auto end = ends.begin();
  for (std::size_t i = 0; i < symbols.size();) {
    std::size_t next = i;
    while (next < symbols.size() && symbols[next].address == symbols[i].address) ++next;
    const std::uint64_t start = symbols[i].address;
    while (end != ends.end() && *end <= start) ++end;
    std::uint64_t limit = next < symbols.size() ? symbols[next].address : start;
    if (end != ends.end() && (next == symbols.size() || *end < limit)) limit = *end;
    for (; i < next; ++i) symbols[i].extent = limit - start;
  }
}

void order_symbols(std::vector<ElfSymbol>& symbols, const std::vector<std::uint64_t>& ends) {
  std::sort(symbols.begin(), symbols.end(), [](const ElfSymbol& a, const ElfSymbol& b) {
    return a.address != b.address ? a.address < b.address : a.name < b.name;
  });
  set_extents(symbols, ends);
}

std::vector<ElfSymbol> ElfFile::symbols() const {
  std::vector<ElfSymbol> result;
  std::vector<std::uint64_t> ends;
  std::vector<GElf_Shdr> headers(1);
  Elf_Scn* table = nullptr;
  std::size_t strings = 0, count = 0;
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf_, scn));) {
    GElf_Shdr header{};
    gelf_getshdr(scn, &header);
    headers.push_back(header);
    if (header.sh_flags & SHF_ALLOC) ends.push_back(header.sh_addr + header.sh_size);
    if (header.sh_type == SHT_SYMTAB && header.sh_entsize) {
      table = scn;
      strings = header.sh_link;
      count = header.sh_size / header.sh_entsize;
    }
  }
  std::sort(ends.begin(), ends.end());
  Elf_Data* data = table ? elf_getdata(table, nullptr) : nullptr;
  if (!data) return result;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (!gelf_getsym(data, static_cast<int>(i), &symbol)) break;
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (type == STT_SECTION || type == STT_FILE || symbol.st_shndx == SHN_UNDEF) continue;
    const char* name = elf_strptr(elf_, strings, symbol.st_name);
    if (!name || !*name || *name == '$') continue;  // '$': mapping symbols of arm
    const GElf_Shdr* section = symbol.st_shndx < headers.size() ? &headers[symbol.st_shndx] : nullptr;
    result.push_back({.address = symbol.st_value,
                      .size = symbol.st_size,
                      .extent = 0,
                      .name = name,
                      .type = symbol_letter(symbol, section),
                      .function = type == STT_FUNC || (section && (section->sh_flags & SHF_EXECINSTR))});
  }
  order_symbols(result, ends);
  return result;
}

std::string_view ElfFile::bytes_at(std::uint64_t address, std::size_t size) const {
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(elf_, scn));) {
    GElf_Shdr header;
    if (!gelf_getshdr(scn, &header) || !(header.sh_flags & SHF_ALLOC) || header.sh_type == SHT_NOBITS)
      continue;
    if (address < header.sh_addr || address - header.sh_addr >= header.sh_size) continue;
    const Elf_Data* data = elf_rawdata(scn, nullptr);
    const std::size_t at = address - header.sh_addr;
    if (!data || !data->d_buf || at >= data->d_size) return {};
    return {static_cast<const char*>(data->d_buf) + at, std::min(size, data->d_size - at)};
  }
  return {};
}

}  // namespace kdev
