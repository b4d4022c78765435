#pragma once
#include <kdev/deadline.hpp>
#include <string>
#include <vector>

#include "guest/core_rules.hpp"
#include "host/atomic_file.hpp"

namespace kdev::crash {

/// What goes into an ELF core file.
struct ElfContent {
  const guest::CoreMemory& memory;
  std::vector<guest::Mapping> mappings{};  ///< a PT_LOAD each; all that they lead to is in `memory`
  std::vector<guest::CoreNote> notes{};    ///< in this order
  int abi = 0;                             ///< EI_OSABI
};

/// Writes it (elf(5)). What several mappings lead to is in the file once, pages of zeros are holes. Returns
/// the bytes of memory in it. FormatError when some of it cannot be read.
std::uint64_t write_elf_core(const ElfContent& content, AtomicFile& to, const std::string& attempted,
                             const Deadline& deadline);

}  // namespace kdev::crash
