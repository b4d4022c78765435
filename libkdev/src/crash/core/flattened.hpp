#pragma once
#include <kdev/deadline.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crash/core/media.hpp"

namespace kdev::crash {

/// A file that begins so is one.
bool is_flattened(std::string_view head);

/// A flattened dump, as makedumpfile -F and QEMU write where they cannot seek (struct
/// makedumpfile_header and makedumpfile_data_header in makedumpfile.h; dump/dump.c), put together into a
/// temporary without a name. Null: it is none. `problems`: it is cut off, or damaged from somewhere on.
/// FormatError: beyond use; HostError.
std::unique_ptr<FileBytes> unflatten(const guest::CoreBytes& bytes, const std::string& attempted,
                                     std::vector<std::string>& problems, const Deadline& deadline);

}  // namespace kdev::crash
