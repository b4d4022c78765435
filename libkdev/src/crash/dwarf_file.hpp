#pragma once
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <map>
#include <string>
#include <vector>

#include "common/elf_file.hpp"

namespace kdev::crash {

/// Addresses of sections, by name.
using Sections = std::map<std::string, std::uint64_t>;

struct SectionPlace {
  std::string name;
  std::uint64_t address = 0, size = 0;
};

/// A file's call frame information, and what to take off an address before it is looked up there.
struct CallFrames {
  Dwarf_CFI* cfi = nullptr;
  Dwarf_Addr bias = 0;
};

/// The DWARF of a file, opened when it is first asked for. libdwfl lays out the sections of a relocatable
/// one, or puts them where they were loaded, and applies the relocations. Not thread-safe.
class DwarfFile {
 public:
  /// `file` outlives it. `loaded`: empty, or where the sections of a relocatable file lie.
  DwarfFile(const ElfFile& file, Sections loaded) : file_(file), loaded_(std::move(loaded)) {}
  ~DwarfFile();
  DwarfFile(const DwarfFile&) = delete;

  /// Null: there is none.
  Dwarf* dwarf();
  /// What to take off an address before it is looked up in dwarf().
  Dwarf_Addr bias();
  const Sections& loaded() const { return loaded_; }
  /// .debug_frame and .eh_frame, as far as they are there.
  std::vector<CallFrames> call_frames();
  /// Of a relocatable file, sorted as ElfFile::symbols() has them. The names live as long as this.
  std::vector<ElfSymbol> module_symbols();
  /// The sections that occupy memory, of a relocatable file, where they lie here.
  std::vector<SectionPlace> layout();
  /// What the file has at an address, without relocations but those of calls and jumps; fewer bytes, when it
  /// has fewer.
  std::string code(std::uint64_t address, std::size_t size);
  /// From the first section that was loaded to the end of the last one.
  std::pair<Dwarf_Addr, Dwarf_Addr> loaded_extent() const;

 private:
  void open();
  void relocate(std::size_t section, std::uint64_t at, std::uint64_t address, std::string& code) const;
  static int find_file(Dwfl_Module*, void** self, const char*, Dwarf_Addr, char** name, Elf**);
  static int section_address(Dwfl_Module*, void** self, const char*, Dwarf_Addr, const char* section,
                             GElf_Word, const GElf_Shdr*, Dwarf_Addr* address);

  const ElfFile& file_;
  Sections loaded_;
  bool opened_ = false;
  Dwarf* dwarf_ = nullptr;
  Dwarf_Addr bias_ = 0;
  Dwfl* dwfl_ = nullptr;  // of a relocatable file; owns `dwarf_` then
  Dwfl_Module* module_ = nullptr;
  Dwarf_CFI* eh_ = nullptr;  // of .eh_frame, when it is nobody else's
  Dwfl_Callbacks callbacks_{};
};

}  // namespace kdev::crash
