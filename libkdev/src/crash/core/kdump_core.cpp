#include "crash/core/kdump_core.hpp"

#include <fmt/format.h>
#include <libkdumpfile/kdumpfile.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <kdev/error.hpp>
#include <mutex>

#include "crash/core/elf_notes.hpp"
#include "crash/core/paged_memory.hpp"

namespace kdev::crash {
namespace {

constexpr std::string_view signature = "KDUMP   ";
constexpr std::uint64_t page = 4096, max_notes = 64u << 20;

/// struct disk_dump_header, as far as it is looked at: signature, version, struct new_utsname (six names of
/// 65 bytes), a time, and these.
constexpr std::uint64_t machine_at = 12 + 4 * 65, block_size_at = 428, sub_header_blocks_at = 432,
                        bitmap_blocks_at = 436, max_mapnr_at = 440, header_size = 464;

/// struct kdump_sub_header, in the next block; what later versions added is 0 in earlier ones' padding.
struct SubHeader {
  std::uint64_t phys_base;
  std::int32_t dump_level, split;
  std::uint64_t start_pfn, end_pfn, vmcoreinfo_at, vmcoreinfo_size, notes_at, notes_size, erase_at,
      erase_size, start_pfn_64, end_pfn_64, max_mapnr_64;
};

[[noreturn]] void refuse(std::string reason) {
  throw FormatError(
      {.attempted = "read a kdump-compressed dump", .reason = std::move(reason), .hint = "", .log = {}});
}

struct FreeContext {
  void operator()(kdump_ctx_t* ctx) const { kdump_free(ctx); }
};

class KdumpCore final : public PagedMemory {
 public:
  KdumpCore(const FileBytes& bytes, std::string_view header) : bytes_(bytes), ctx_(kdump_new()) {
    std::uint32_t block = 0, pages = 0;
    std::memcpy(&block, header.data() + block_size_at, sizeof(block));
    std::memcpy(&pages, header.data() + max_mapnr_at, sizeof(pages));
    SubHeader sub{};
    if (block != page || !bytes.read(block, &sub, sizeof(sub)))
      refuse(fmt::format("it is cut off within its headers, or its blocks of {} bytes are no pages", block));
    end_ = std::min<std::uint64_t>(std::max<std::uint64_t>(pages, sub.max_mapnr_64), 1ull << 40) * page;
    if (!read_elf_notes(part(sub.notes_at, sub.notes_size), notes_))
      problems_.push_back("a note is longer than the notes are");
    const bool told =
        std::any_of(notes_.begin(), notes_.end(), [](const auto& n) { return n.name == "VMCOREINFO"; });
    if (auto text = part(sub.vmcoreinfo_at, sub.vmcoreinfo_size); !told && !text.empty())
      notes_.push_back({.name = "VMCOREINFO", .type = 0, .data = std::move(text)});
    // It is told of the processor, which it would look for in a VMCOREINFO that may not be there.
    if (!ctx_ || kdump_set_string_attr(ctx_.get(), KDUMP_ATTR_ARCH_NAME, KDUMP_ARCH_X86_64) != KDUMP_OK ||
        // A file that is cut off must not be mapped: reading behind its end would be a bus error.
        kdump_set_number_attr(ctx_.get(), KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER) != KDUMP_OK ||
        kdump_open_fd(ctx_.get(), bytes.descriptor()) != KDUMP_OK)
      refuse(
          fmt::format("libkdumpfile cannot open it: {}", ctx_ ? kdump_get_err(ctx_.get()) : "out of memory"));
    std::uint32_t headers = 0, bitmaps = 0;
    std::memcpy(&headers, header.data() + sub_header_blocks_at, sizeof(headers));
    std::memcpy(&bitmaps, header.data() + bitmap_blocks_at, sizeof(bitmaps));
    if (!sub.split) check_pages(headers, bitmaps);
  }

  std::string format() const override { return "kdump-compressed"; }
  std::string arch() const override { return "x86_64"; }
  std::vector<std::string> problems() const override { return problems_; }
  std::vector<guest::CoreNote> notes() const override { return notes_; }
  bool made_by_machine() const override { return crash::made_by_machine(notes_); }
  std::uint64_t physical_end() const override { return end_; }

  bool read_physical(std::uint64_t address, void* to, std::size_t size) const override {
    if (address > end_ || size > end_ - address) return false;
    const std::lock_guard lock(mutex_);
    std::size_t length = size;
    const bool whole =
        kdump_read(ctx_.get(), KDUMP_MACHPHYSADDR, address, to, &length) == KDUMP_OK && length == size;
    if (!whole) kdump_clear_err(ctx_.get());
    return whole;
  }

 private:
  std::string part(std::uint64_t at, std::uint64_t size) {
    if (!at || !size) return {};
    std::string data(std::min(size, max_notes), '\0');
    if (bytes_.read(at, data.data(), data.size())) return data;
    problems_.push_back("the file is cut off before its notes");
    return {};
  }

  /// Behind the headers come two bitmaps (pages that there are, pages that were written), then for each of
  /// the latter a descriptor that says where it is.
  void check_pages(std::uint64_t headers, std::uint64_t bitmap_blocks) {
    const auto cut = [this] { problems_.push_back("the file is cut off: not all of its memory is there"); };
    std::uint64_t written = 0, at = (1 + headers) * page + bitmap_blocks * page / 2;
    const auto descriptors = (1 + headers + bitmap_blocks) * page;
    std::vector<std::uint64_t> block(page / 8);
    for (; at + page <= descriptors; at += page) {
      if (!bytes_.read(at, block.data(), page)) return cut();
      for (const auto word : block) written += static_cast<std::uint64_t>(std::popcount(word));
    }
    struct Descriptor {
      std::uint64_t offset;
      std::uint32_t size, flags;
      std::uint64_t page_flags;
    };
    std::vector<Descriptor> list;
    for (std::uint64_t i = 0; i < written; i += list.size()) {
      list.resize(std::min<std::uint64_t>(1 << 12, written - i));
      if (!bytes_.read(descriptors + i * sizeof(Descriptor), list.data(), list.size() * sizeof(Descriptor)))
        return cut();
      for (const auto& d : list)
        if (d.offset > bytes_.size() || d.size > bytes_.size() - d.offset) return cut();
    }
  }

  const FileBytes& bytes_;
  std::uint64_t end_ = 0;
  std::vector<guest::CoreNote> notes_;
  std::vector<std::string> problems_;
  std::unique_ptr<kdump_ctx_t, FreeContext> ctx_;
  mutable std::mutex mutex_;
};

}  // namespace

std::unique_ptr<guest::CoreMemory> open_kdump_core(const FileBytes& bytes) {
  std::string header(header_size, '\0');
  if (!bytes.read(0, header.data(), signature.size()) || !header.starts_with(signature)) return nullptr;
  if (!bytes.read(0, header.data(), header.size())) refuse("it is cut off within its header");
  const auto machine = header.substr(machine_at, 65);
  if (machine.substr(0, machine.find('\0')) != "x86_64")
    refuse(fmt::format("it is of a machine that calls itself '{}': not x86_64",
                       machine.substr(0, machine.find('\0'))));
  return std::make_unique<KdumpCore>(bytes, header);
}

}  // namespace kdev::crash
