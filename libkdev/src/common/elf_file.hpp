#pragma once
#include <elfutils/libdwelf.h>
#include <gelf.h>

#include <kdev/path.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev {

/// A symbol of .symtab, as kallsyms and nm see it.
struct ElfSymbol {
  std::uint64_t address = 0;
  std::uint64_t size = 0;    ///< st_size
  std::uint64_t extent = 0;  ///< to the next symbol or the section's end: what kallsyms prints as size
  std::string_view name;     ///< lives as long as the file
  char type = '?';           ///< letter of nm(1)
  bool function = false;
};

/// An ELF file opened for reading through libelf. Move-only; keeps its descriptor.
class ElfFile {
 public:
  /// HostError when it cannot be opened, FormatError when it is no ELF. `attempted` is for the message.
  ElfFile(const Path& path, const std::string& attempted);
  ElfFile(ElfFile&&) noexcept;
  ElfFile& operator=(ElfFile&&) = delete;
  ~ElfFile();

  /// The same file by a handle of its own: one is for one thread. HostError.
  ElfFile another() const;

  /// Its descriptor once more, for the caller to close; not by its name, which another file may have by now.
  /// -1: the process has too many.
  int descriptor() const;

  Elf* handle() const { return elf_; }
  const Path& path() const { return path_; }
  bool relocatable() const { return relocatable_; }  ///< ET_REL: a module
  /// Of a shared object: the page that it begins with, as it was linked; nothing: it is no such.
  std::optional<std::uint64_t> shared_base() const;
  int address_digits() const { return digits_; }  ///< hex digits of an address: 8 or 16
  int machine() const;                            ///< EM_...
  std::string build_id() const;                   ///< hex; empty: none
  bool has_segment(unsigned type) const;          ///< PT_...
  /// Sorted by address, then name; without section, file and undefined symbols. Addresses of a relocatable
  /// file are offsets into sections: use them only through DebugInfo.
  std::vector<ElfSymbol> symbols() const;
  /// The bytes at an address of a loaded section, as far as the file has them.
  std::string_view bytes_at(std::uint64_t address, std::size_t size) const;

 private:
  ElfFile() = default;
  Path path_;
  int fd_ = -1;
  Elf* elf_ = nullptr;
  bool relocatable_ = false;
  int digits_ = 16;
};

/// GNU build id of an ELF file, hex; empty: none. Errors as ElfFile's.
std::string elf_build_id(const Path& path);
/// The same of a file's content; `name` is for the message. FormatError.
std::string elf_build_id_in(std::string content, const std::string& name);

/// Fills in ElfSymbol::extent; `ends`: sorted ends of the sections.
void set_extents(std::vector<ElfSymbol>& symbols, const std::vector<std::uint64_t>& ends);

/// Sorts by address, then name, and fills in the extents.
void order_symbols(std::vector<ElfSymbol>& symbols, const std::vector<std::uint64_t>& ends);

/// nm's letter for a symbol in a section (binutils, bfd/syms.c, bfd_decode_symclass).
char symbol_letter(const GElf_Sym& symbol, const GElf_Shdr* section);

}  // namespace kdev
