#include "crash/core/kdump_core.hpp"

#include <fmt/format.h>
#include <libkdumpfile/kdumpfile.h>

#include <algorithm>
#include <bit>
#include <kdev/error.hpp>
#include <mutex>

#include "crash/core/elf_notes.hpp"
#include "crash/core/kdump_check.hpp"
#include "crash/core/kdump_format.hpp"
#include "crash/core/paged_memory.hpp"

namespace kdev::crash {
namespace {

constexpr std::uint64_t page = kdump_page;

[[noreturn]] void refuse(std::string reason) {
  throw FormatError(
      {.attempted = "read a kdump-compressed dump", .reason = std::move(reason), .hint = "", .log = {}});
}

struct FreeContext {
  void operator()(kdump_ctx_t* ctx) const { kdump_free(ctx); }
};

class KdumpCore final : public PagedMemory {
 public:
  KdumpCore(const FileBytes& bytes, const KdumpFileHeader& header) : bytes_(bytes), ctx_(kdump_new()) {
    KdumpSubHeader sub{};
    if (!bytes.read(page, &sub, sizeof(sub))) refuse("it is cut off within its headers");
    check(check_kdump_headers(header, sub, bytes.size()));
    end_ =
        std::min<std::uint64_t>(std::max<std::uint64_t>(header.max_page, sub.max_page_64), 1ull << 40) * page;
    if (!read_elf_notes(part(sub.notes_at, sub.notes_size), notes_))
      problems_.push_back("a note is longer than the notes are");
    auto text = part(sub.vmcoreinfo_at, sub.vmcoreinfo_size);
    check(check_kdump_notes(notes_, text));
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
    check_pages();
    open();
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
    const auto first = address / page, last = size ? (address + size - 1) / page : first;
    const auto bad = std::lower_bound(bad_pages_.begin(), bad_pages_.end(), first);
    if (last >= described_ || (bad != bad_pages_.end() && *bad <= last)) return false;
    const std::lock_guard lock(mutex_);
    std::size_t length = size;
    const bool whole =
        kdump_read(ctx_.get(), KDUMP_MACHPHYSADDR, address, to, &length) == KDUMP_OK && length == size;
    if (!whole) kdump_clear_err(ctx_.get());
    return whole;
  }

 private:
  static void check(std::string wrong) {
    if (!wrong.empty()) refuse(std::move(wrong));
  }

  void open() {
    // It is told of the processor, which it would look for in a VMCOREINFO that may not be there.
    if (!ctx_ || kdump_set_string_attr(ctx_.get(), KDUMP_ATTR_ARCH_NAME, KDUMP_ARCH_X86_64) != KDUMP_OK ||
        // A file that is cut off must not be mapped: reading behind its end would be a bus error.
        kdump_set_number_attr(ctx_.get(), KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER) != KDUMP_OK)
      refuse("libkdumpfile has no memory");
    if (kdump_open_fd(ctx_.get(), bytes_.descriptor()) != KDUMP_OK) {
      const std::string reason = kdump_get_err(ctx_.get());
      // Left behind: once it has given up on a file, kdump_free() of 0.5.1 crashes.
      static_cast<void>(ctx_.release());
      refuse(fmt::format("libkdumpfile cannot open it: {}", reason));
    }
    kdump_num_t size = 0, pointer = 0;
    if (kdump_get_number_attr(ctx_.get(), KDUMP_ATTR_PAGE_SIZE, &size) != KDUMP_OK || size != page ||
        kdump_get_number_attr(ctx_.get(), KDUMP_ATTR_PTR_SIZE, &pointer) != KDUMP_OK || pointer != 8)
      refuse("libkdumpfile takes it for one of another machine");
  }

  std::string part(std::uint64_t at, std::uint64_t size) {
    if (!size) return {};
    std::string data(size, '\0');
    if (bytes_.read(at, data.data(), data.size())) return data;
    problems_.push_back("the file is cut off before its notes");
    return {};
  }

  /// Behind the headers come two bitmaps (pages that there are, pages that were written), then for each of
  /// the latter a descriptor that says where it is.
  void check_pages() {
    constexpr std::uint64_t at_once = 1 << 12;
    const auto count = std::min(written_end_, (descriptors_at_ - written_at_) * 8);
    std::vector<std::uint64_t> block(page / 8);
    std::vector<KdumpPage> list;
    std::uint64_t descriptor = 0, list_begin = 0;
    bool cut = false, incomplete = false;
    for (auto n = written_first_; n < count && !cut; ++n) {
      if (n == written_first_ || n % (page * 8) == 0)
        cut = !bytes_.read(written_at_ + n / 8 / page * page, block.data(), page);
      if (cut) break;
      const auto word = block[n / 64 % block.size()];
      if (word == 0) {
        n |= 63;
        continue;
      }
      if (!(word >> (n % 64) & 1)) continue;
      const auto index = descriptor++;
      if (index >= list_begin + list.size()) {
        const auto at = descriptors_at_ + index * sizeof(KdumpPage);
        const auto there = at < bytes_.size() ? (bytes_.size() - at) / sizeof(KdumpPage) : 0;
        list_begin = index;
        list.resize(std::min(there, at_once));
        if (list.empty() || !bytes_.read(at, list.data(), list.size() * sizeof(KdumpPage))) {
          cut = true;
          described_ = n;
          break;
        }
      }
      const auto& d = list[index - list_begin];
      if (d.offset > bytes_.size() || d.size > bytes_.size() - d.offset) incomplete = true;
      // libkdumpfile would write more than a page into the room for one.
      if (d.size > page) bad_pages_.push_back(n);
    }
    if (!cut) described_ = UINT64_MAX;
    if (cut || incomplete) problems_.push_back("the file is cut off: not all of its memory is there");
    if (!bad_pages_.empty())
      problems_.push_back(
          fmt::format("the file is damaged: {} pages are longer than a page", bad_pages_.size()));
  }

  const FileBytes& bytes_;
  std::uint64_t end_ = 0, written_at_ = 0, descriptors_at_ = 0;
  std::uint64_t written_first_ = 0, written_end_ = UINT64_MAX;  // the pages whose descriptors it has
  std::uint64_t described_ = 0;                                 // from this one on, descriptors are cut off
  std::vector<std::uint64_t> bad_pages_;                        // in order
  std::vector<guest::CoreNote> notes_;
  std::vector<std::string> problems_;
  std::unique_ptr<kdump_ctx_t, FreeContext> ctx_;
  mutable std::mutex mutex_;
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
