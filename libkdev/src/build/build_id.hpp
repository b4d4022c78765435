#pragma once
#include <kdev/host.hpp>
#include <kdev/path.hpp>
#include <string>

namespace kdev {

/// GNU build id of an ELF file of the host, hex; empty: none. HostError, FormatError.
std::string build_id_of(Host& host, const Path& elf);

}  // namespace kdev
