#include "crash/core/kdump_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <kdev/error.hpp>
#include <optional>

#include "crash/core/elf_notes.hpp"
#include "crash/core/kdump_check.hpp"
#include "crash/core/kdump_format.hpp"
#include "crash/core/kdump_pages.hpp"
#include "crash/core/paged_memory.hpp"

namespace kdev::crash {
namespace {

constexpr std::uint64_t page = kdump_page;

[[noreturn]] void refuse(std::string reason) {
  throw FormatError(
      {.attempted = "read a kdump-compressed dump", .reason = std::move(reason), .hint = "", .log = {}});
}

class KdumpCore final : public PagedMemory {
 public:
  KdumpCore(const FileBytes& bytes, const KdumpFileHeader& header) : bytes_(bytes) {
    KdumpSubHeader sub{};
    if (!bytes.read(page, &sub, sizeof(sub))) refuse("it is cut off within its headers");
    check(check_kdump_headers(header, sub, bytes.size()));
    end_ =
        std::min<std::uint64_t>(std::max<std::uint64_t>(header.max_page, sub.max_page_64), 1ull << 40) * page;
    if (!read_elf_notes(part(sub.notes_at, sub.notes_size), notes_))
      problems_.push_back("a note is longer than the notes are");
    auto text = part(sub.vmcoreinfo_at, sub.vmcoreinfo_size);
    check(check_kdump_notes(notes_));
    const bool told =
        std::any_of(notes_.begin(), notes_.end(), [](const auto& n) { return n.name == "VMCOREINFO"; });
    if (!told && !text.empty()) notes_.push_back({.name = "VMCOREINFO", .type = 0, .data = std::move(text)});
    const std::uint64_t bitmaps = header.bitmap_blocks * page;
    descriptors_at_ =
        (1 + std::uint64_t{static_cast<std::uint32_t>(header.sub_header_blocks)}) * page + bitmaps;
    written_at_ = descriptors_at_ - bitmaps / 2;
    if (header.version >= 2 && sub.split) {
      problems_.push_back("it is one of several files of a dump: the others' memory is not there");
      written_first_ = header.version >= 6 ? sub.start_page_64 : sub.start_page;
      written_end_ = header.version >= 6 ? sub.end_page_64 : sub.end_page;
    }
    pages_.emplace(bytes, KdumpPages::Layout{.written_at = written_at_,
                                             .descriptors_at = descriptors_at_,
                                             .first = written_first_,
                                             .end = written_end_});
    for (const std::string& problem : pages_->problems()) problems_.push_back(problem);
  }

  std::string format() const override { return "kdump-compressed"; }
  std::string arch() const override { return "x86_64"; }
  std::vector<std::string> problems() const override { return problems_; }
  std::vector<guest::CoreNote> notes() const override { return notes_; }
  bool made_by_machine() const override { return crash::made_by_machine(notes_); }
  std::uint64_t physical_end() const override { return end_; }
  std::vector<guest::MemoryRange> physical_ranges() const override;

  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    if (address > end_ || size > end_ - address) return false;
    char* out = static_cast<char*>(to);
    while (size) {
      const std::size_t from = address % page, n = std::min<std::uint64_t>(size, page - from);
      if (!pages_->read(address / page, from, out, n)) return false;
      address += n;
      out += n;
      size -= n;
    }
    return true;
  }

 private:
  static void check(std::string wrong) {
    if (!wrong.empty()) refuse(std::move(wrong));
  }

  std::string part(std::uint64_t at, std::uint64_t size) {
    if (!size) return {};
    std::string data(size, '\0');
    if (bytes_.read(at, data.data(), data.size())) return data;
    problems_.push_back("the file is cut off before its notes");
    return {};
  }

  const FileBytes& bytes_;
  std::uint64_t end_ = 0, written_at_ = 0, descriptors_at_ = 0;
  std::uint64_t written_first_ = 0, written_end_ = UINT64_MAX;  // the pages whose descriptors it has
  std::vector<guest::CoreNote> notes_;
  std::vector<std::string> problems_;
  std::optional<KdumpPages> pages_;
};

std::vector<guest::MemoryRange> KdumpCore::physical_ranges() const {
  std::vector<guest::MemoryRange> ranges;
  std::vector<std::uint64_t> block(page / 8);
  std::uint64_t address = 0;
  for (auto at = written_at_; at + page <= descriptors_at_ && address < end_; at += page) {
    if (!bytes_.read(at, block.data(), page)) break;
    for (const auto word : block) {
      for (auto rest = word; rest; rest &= rest - 1) {
        const auto there = address + static_cast<std::uint64_t>(std::countr_zero(rest)) * page;
        if (there < end_ && there / page >= written_first_ && there / page < written_end_)
          add_run(ranges, guest::MemoryRange{there, page});
      }
      address += 64 * page;
    }
  }
  return ranges;
}

}  // namespace

bool is_kdump(std::string_view head) {
  return head.starts_with(kdump_signature);
}

std::unique_ptr<guest::CoreMemory> open_kdump_core(const FileBytes& bytes) {
  KdumpFileHeader header{};
  if (!bytes.read(0, header.signature, sizeof(header.signature)) ||
      std::string_view(header.signature, sizeof(header.signature)) != kdump_signature)
    return nullptr;
  if (!bytes.read(0, &header, sizeof(header))) refuse("it is cut off within its header");
  std::string machine(header.names[4], sizeof(header.names[4]));
  machine.resize(std::min(machine.find('\0'), machine.size()));
  if (machine != "x86_64")
    refuse(fmt::format("it is of a machine that calls itself '{}': not x86_64", machine));
  return std::make_unique<KdumpCore>(bytes, header);
}

}  // namespace kdev::crash
