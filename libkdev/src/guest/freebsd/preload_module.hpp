#pragma once
// A kernel module as FreeBSD's loader leaves it in memory for the kernel's linker:
// stand/common/load_elf_obj.c, sys/kern/link_elf_obj.c (link_elf_link_preload).
#include <cstdint>
#include <string>
#include <string_view>

namespace kdev::guest {

struct PreloadedModule {
  std::string memory;           ///< from its address on, up to the last byte
  std::string elf_header;       ///< what MODINFOMD_ELFHDR holds
  std::string section_headers;  ///< MODINFOMD_SHDR: with the address of each section that is in memory
};

/// `ko`: the file's bytes; `address`: physical, a multiple of the page size. FormatError, `attempted` in it,
/// for what is no module for amd64.
PreloadedModule lay_out_module(std::string_view ko, std::uint64_t address, const std::string& attempted);

}  // namespace kdev::guest
