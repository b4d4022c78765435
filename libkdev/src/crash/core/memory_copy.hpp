#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <kdev/deadline.hpp>
#include <kdev/error.hpp>
#include <string>
#include <string_view>

#include "guest/core_rules.hpp"

namespace kdev::crash {

/// Calls `take(address, bytes)` with all of a range in pieces, none of which crosses a multiple of 1 MiB.
/// FormatError when one cannot be read.
template <class Take>
void copy_memory(const guest::CoreMemory& memory, guest::MemoryRange range, const std::string& attempted,
                 const Deadline& deadline, Take&& take) {
  constexpr std::uint64_t at_once = 1u << 20;
  std::string buffer;
  while (range.size) {
    deadline.check(attempted);
    buffer.resize(std::min(range.size, at_once - range.address % at_once));
    if (!memory.read_physical(range.address, buffer.data(), buffer.size()))
      throw FormatError(
          {.attempted = attempted,
           .reason = fmt::format("physical memory at {:#x}, {} bytes, cannot be read: the dump is "
                                 "damaged",
                                 range.address, buffer.size()),
           .hint = "",
           .log = {}});
    take(range.address, std::string_view(buffer));
    range.address += buffer.size();
    range.size -= buffer.size();
  }
}

}  // namespace kdev::crash
