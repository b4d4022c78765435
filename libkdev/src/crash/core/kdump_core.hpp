#pragma once
#include <memory>

#include "crash/core/media.hpp"

namespace kdev::crash {

/// A kdump-compressed file (makedumpfile's; diskdump_mod.h there), read by libkdumpfile; null: the file is
/// none. FormatError: it is one, beyond use. `bytes` lives as long as the reader.
std::unique_ptr<guest::CoreMemory> open_kdump_core(const FileBytes& bytes);

}  // namespace kdev::crash
