#pragma once
#include <memory>
#include <string_view>

#include "crash/core/media.hpp"

namespace kdev::crash {

/// A file that begins so is one.
bool is_kdump(std::string_view head);

/// A kdump-compressed file (makedumpfile's; diskdump_mod.h there); null: the file is none. FormatError: it is one,
/// beyond use. `bytes` lives as long as the reader.
std::unique_ptr<guest::CoreMemory> open_kdump_core(const FileBytes& bytes);

}  // namespace kdev::crash
