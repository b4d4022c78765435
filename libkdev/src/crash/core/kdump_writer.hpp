#pragma once
#include <kdev/core.hpp>
#include <kdev/deadline.hpp>
#include <string>
#include <vector>

#include "guest/core_rules.hpp"
#include "host/atomic_file.hpp"

namespace kdev::crash {

/// What goes into a kdump-compressed file.
struct KdumpContent {
  const guest::CoreMemory& memory;
  guest::KdumpHeader header{};
  std::vector<guest::CoreNote> notes{};
  std::vector<guest::MemoryRange> there{};    ///< physical memory of the machine
  std::vector<guest::MemoryRange> written{};  ///< what of it is in the file
  std::vector<PageKind> left_out{};           ///< what is not
  int cpus = 0;
  KdumpCompression compression = KdumpCompression::zlib;
};

/// Writes it. Pages of zeros share one. FormatError when some memory cannot be read or lies too high.
void write_kdump_core(const KdumpContent& content, AtomicFile& to, const std::string& attempted,
                      const Deadline& deadline);

}  // namespace kdev::crash
