#pragma once
#include <memory>
#include <vector>

#include "common/elf_file.hpp"
#include "crash/dwarf_ranges.hpp"
#include "crash/source_step.hpp"

namespace kdev::crash {

/// Many addresses of one file at once, by several threads: each has a Dwarf of its own, and compile units
/// that are always its. Not thread-safe itself.
class ParallelLookup {
 public:
  /// `units` outlive it. HostError.
  ParallelLookup(const ElfFile& file, const std::vector<DwarfRange>& units, unsigned threads);
  ~ParallelLookup();
  /// Each as DwarfLookup has it. Interrupted.
  std::vector<std::vector<SourceStep>> expand(const std::vector<Dwarf_Addr>& addresses);

 private:
  struct Worker;
  const std::vector<DwarfRange>& units_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace kdev::crash
