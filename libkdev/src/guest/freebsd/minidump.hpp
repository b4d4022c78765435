#pragma once
// What the minidumps of all machines have alike (cpu_minidumpsys() in */*/minidump_machdep.c), each part
// padded to pages:
//   struct minidumphdr | message buffer | dump_avail | bitmap | page tables | pages
// The bitmap has a bit for each page of physical memory, set when it was dumped; pages follow in that order.
// It covers only the ranges of dump_avail, one after the other; without one, all memory from 0 on. What the
// page tables hold differs by machine.
#include <kdev/error.hpp>

#include "guest/core_rules.hpp"

namespace kdev::guest {

/// Sizes in bytes, as the header states them.
struct MinidumpParts {
  std::uint32_t version = 0;
  std::uint64_t page = 4096;  ///< a power of two
  std::uint32_t messages = 0, bitmap = 0, tables = 0;
  std::optional<std::uint32_t> ranges{};  ///< of dump_avail; nothing: the version has none
};

/// The first of what a minidump's file begins with: "minidump FreeBSD/amd64". False: it is another file.
bool begins_minidump(const CoreBytes& bytes, std::string_view magic);
/// The header's bytes; FormatError when the file is too short.
void read_minidump_header(const CoreBytes& bytes, void* header, std::size_t size);
/// FormatError about a header.
[[noreturn]] void refuse_minidump(std::string reason);

class Minidump : public CoreMemory {
 public:
  /// `bytes` lives as long as this.
  Minidump(const CoreBytes& bytes, const MinidumpParts& parts);

  std::string format() const override;
  std::vector<std::string> problems() const override { return problems_; }
  std::string raw_messages() const override;
  std::vector<MemoryRange> physical_ranges() const override;
  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override;
  bool read_virtual(std::uint64_t address, void* to, std::size_t size) const override;

 protected:
  /// The physical address behind a kernel's; nothing: it is not mapped.
  virtual std::optional<std::uint64_t> translate(std::uint64_t address) const = 0;
  std::uint64_t page() const { return parts_.page; }
  /// Of the page tables in the file, that many numbers; nothing: it has fewer.
  std::uint64_t table_entries() const { return parts_.tables / 8; }
  std::optional<std::uint64_t> table_entry(std::uint64_t index) const;
  /// All of them in their order: `take(index, entry)`, until it returns false or the file ends.
  template <class Take>
  void walk_table(const Deadline& deadline, Take&& take) const {
    std::vector<std::uint64_t> block(512);
    for (std::uint64_t i = 0; i < table_entries(); ++i) {
      if (i % block.size() == 0) {
        deadline.check("walk the page tables of a dump");
        const auto n = std::min<std::uint64_t>(block.size(), table_entries() - i);
        if (!bytes_.read(tables_at_ + i * 8, block.data(), n * 8)) return;
      }
      if (!take(i, block[i % block.size()])) return;
    }
  }

 private:
  struct Range {
    std::uint64_t start, end;
    std::uint64_t first_bit;
  };

  std::uint64_t rounded(std::uint64_t size) const { return (size + page() - 1) / page() * page(); }
  void read_ranges(std::uint64_t at);
  void read_bitmap(std::uint64_t at);
  /// Where the byte of physical memory is in the file.
  std::optional<std::uint64_t> place(std::uint64_t address) const;
  template <class Place>
  bool by_page(std::uint64_t address, void* to, std::size_t size, Place&& place_of) const;

  const CoreBytes& bytes_;
  MinidumpParts parts_;
  std::uint64_t tables_at_ = 0, pages_at_ = 0;
  std::vector<Range> ranges_;  // sorted
  std::vector<std::uint64_t> bitmap_;
  std::vector<std::uint64_t> pages_before_;  // set bits before each word, and all
  std::vector<std::string> problems_;
};

}  // namespace kdev::guest
