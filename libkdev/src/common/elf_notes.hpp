#pragma once
// The GNU build id, straight from an ELF file's notes (elf(5): Elf64_Nhdr; NT_GNU_BUILD_ID of binutils).
#include <kdev/path.hpp>
#include <string>

namespace kdev {

/// Lower-case hex; empty when the file has none. FormatError when it is no ELF file of this machine's byte
/// order, 32 or 64 bit, or is cut off; HostError when it cannot be read.
std::string elf_build_id(const Path& file);

}  // namespace kdev
