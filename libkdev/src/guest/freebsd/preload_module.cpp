#include "guest/freebsd/preload_module.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <kdev/error.hpp>
#include <vector>

namespace kdev::guest {
namespace {

class Layout {
 public:
  Layout(std::string_view ko, std::uint64_t address, const std::string& attempted)
      : ko_(ko), attempted_(attempted), address_(address), end_(address) {}

  PreloadedModule run() {
    read_headers();
    for (Elf64_Shdr& s : sections_) s.sh_addr = 0;
    // In the loader's order: what runs, symbols, their names, the sections' names, relocations.
    for (Elf64_Shdr& s : sections_)
      if (is_program(s)) place(s);
    const auto symbols = std::find_if(sections_.begin(), sections_.end(),
                                      [](const Elf64_Shdr& s) { return s.sh_type == SHT_SYMTAB; });
    if (symbols == sections_.end()) refuse("it has no symbol table");
    place(*symbols);
    place(section(symbols->sh_link));
    if (section(header_.e_shstrndx).sh_addr == 0) place(section(header_.e_shstrndx));
    for (Elf64_Shdr& s : sections_)
      if ((s.sh_type == SHT_REL || s.sh_type == SHT_RELA) && (section(s.sh_info).sh_flags & SHF_ALLOC) != 0)
        place(s);

    PreloadedModule module;
    module.memory.assign(end_ - address_, '\0');
    for (const Elf64_Shdr& s : sections_)
      if (s.sh_addr != 0 && s.sh_type != SHT_NOBITS)
        std::memcpy(module.memory.data() + (s.sh_addr - address_), part(s.sh_offset, s.sh_size).data(),
                    s.sh_size);
    module.elf_header.assign(reinterpret_cast<const char*>(&header_), sizeof header_);
    module.section_headers.assign(reinterpret_cast<const char*>(sections_.data()),
                                  sections_.size() * sizeof(Elf64_Shdr));
    return module;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw FormatError({.attempted = attempted_,
                       .reason = why,
                       .hint = "name a kernel module (.ko) built for FreeBSD/amd64",
                       .log = {}});
  }

  std::string_view part(std::uint64_t offset, std::uint64_t size) const {
    if (offset > ko_.size() || size > ko_.size() - offset) refuse("it is cut off");
    return ko_.substr(offset, size);
  }

  void read_headers() {
    if (ko_.size() < sizeof header_ || std::memcmp(ko_.data(), ELFMAG, SELFMAG) != 0)
      refuse("it is no ELF file");
    std::memcpy(&header_, ko_.data(), sizeof header_);
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_machine != EM_X86_64 ||
        header_.e_type != ET_REL || header_.e_shentsize != sizeof(Elf64_Shdr))
      refuse("it is no relocatable object for amd64");
    const std::string_view table = part(header_.e_shoff, header_.e_shnum * sizeof(Elf64_Shdr));
    sections_.resize(header_.e_shnum);
    std::memcpy(sections_.data(), table.data(), table.size());
  }

  Elf64_Shdr& section(std::size_t index) {
    if (index >= sections_.size()) refuse("its section headers contradict each other");
    return sections_[index];
  }

  static bool is_program(const Elf64_Shdr& s) {
    const bool kind = s.sh_type == SHT_PROGBITS || s.sh_type == SHT_NOBITS ||
                      s.sh_type == SHT_X86_64_UNWIND || s.sh_type == SHT_INIT_ARRAY ||
                      s.sh_type == SHT_FINI_ARRAY;
    return kind && s.sh_size > 0 && (s.sh_flags & SHF_ALLOC) != 0;
  }

  void place(Elf64_Shdr& s) {
    const std::uint64_t alignment = std::max<std::uint64_t>(s.sh_addralign, 1);
    constexpr std::uint64_t most = 1u << 30;  // more does not fit below what the kernel can address anyway
    if (s.sh_size > most || alignment > most) refuse("a section is too large");
    end_ = (end_ + alignment - 1) / alignment * alignment;
    s.sh_addr = end_;
    end_ += s.sh_size;
    if (end_ - address_ > most) refuse("it is too large");
  }

  std::string_view ko_;
  const std::string& attempted_;
  const std::uint64_t address_;
  std::uint64_t end_;
  Elf64_Ehdr header_ = {};
  std::vector<Elf64_Shdr> sections_;
};

}  // namespace

PreloadedModule lay_out_module(std::string_view ko, std::uint64_t address, const std::string& attempted) {
  return Layout(ko, address, attempted).run();
}

}  // namespace kdev::guest
