#include "crash/core/kdump_writer.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "crash/core/elf_notes.hpp"
#include "crash/core/kdump_format.hpp"
#include "crash/core/memory_copy.hpp"
#include "crash/core/page_packer.hpp"
#include "host/sparse_file.hpp"

namespace kdev::crash {
namespace {

constexpr std::uint64_t page = 4096;
/// 16 TiB: for each page behind the last one that there is, bitmaps would go on.
constexpr std::uint64_t max_pages = std::uint64_t{1} << 32;

std::uint64_t blocks(std::uint64_t size) {
  return (size + page - 1) / page;
}

template <class Struct>
std::string_view raw(const Struct& s) {
  return {reinterpret_cast<const char*>(&s), sizeof(s)};
}

/// In pages; one of which there is only a part counts.
std::vector<guest::MemoryRange> pages_in(const std::vector<guest::MemoryRange>& ranges) {
  std::vector<guest::MemoryRange> pages;
  for (const auto& r : ranges) {
    auto first = r.address / page;
    if (!pages.empty()) first = std::max(first, pages.back().end());
    const auto end = (r.end() - 1) / page + 1;
    if (first < end) add_run(pages, guest::MemoryRange{first, end - first});
  }
  return pages;
}

void write_bitmap(const std::vector<guest::MemoryRange>& pages, std::uint64_t size, SparseWriter& out,
                  const std::string& attempted, const Deadline& deadline) {
  constexpr std::uint64_t per_block = page * 8;
  auto range = pages.begin();
  std::string block;
  for (std::uint64_t first = 0; first < size * per_block; first += per_block) {
    deadline.check(attempted);
    block.assign(page, '\0');
    const auto end = first + per_block;
    while (range != pages.end() && range->end() <= first) ++range;
    for (auto r = range; r != pages.end() && r->address < end; ++r)
      for (auto i = std::max(first, r->address); i < std::min(end, r->end()); ++i)
        block[(i - first) / 8] = static_cast<char>(block[(i - first) / 8] | 1 << i % 8);
    out.write(block);
  }
}

/// Gives out whole pages in order; what there is not of one is zeros.
template <class Take>
void each_page(const KdumpContent& content, const std::string& attempted, const Deadline& deadline,
               Take&& take) {
  std::string pending(page, '\0');
  std::optional<std::uint64_t> number;
  const auto flush = [&] {
    if (number) take(pending);
    pending.assign(page, '\0');
    number.reset();
  };
  for (const auto& range : content.written)
    copy_memory(content.memory, range, attempted, deadline, [&](std::uint64_t at, std::string_view bytes) {
      while (!bytes.empty()) {
        const auto n = std::min<std::uint64_t>(bytes.size(), page - at % page);
        if (number != at / page) flush();
        if (n == page) {
          take(bytes.substr(0, n));
        } else {
          number = at / page;
          pending.replace(at % page, n, bytes.substr(0, n));
        }
        at += n;
        bytes.remove_prefix(n);
      }
    });
  flush();
}

class Pages {
 public:
  Pages(const KdumpContent& content, AtomicFile& to, std::uint64_t descriptors_at, std::uint64_t pages_at,
        const std::string& attempted)
      : packer_(content.compression),
        descriptors_(to.descriptor(), attempted, descriptors_at),
        data_(to.descriptor(), attempted, pages_at) {}

  void add(std::string_view bytes) {
    if (is_zero(bytes)) {
      if (!zeros_) zeros_ = store(bytes);
      return describe(*zeros_);
    }
    describe(store(bytes));
  }
  void finish() {
    descriptors_.write(list_);
    data_.finish();
  }

 private:
  KdumpPage store(std::string_view bytes) {
    const auto packed = packer_.pack(bytes);
    KdumpPage p{
        .offset = data_.size(), .size = 0, .flags = packed.empty() ? 0 : packer_.flag(), .page_flags = 0};
    if (!packed.empty()) bytes = packed;
    p.size = static_cast<std::uint32_t>(bytes.size());
    data_.write(bytes);
    return p;
  }
  void describe(const KdumpPage& p) {
    list_ += raw(p);
    if (list_.size() < 1u << 16) return;
    descriptors_.write(list_);
    list_.clear();
  }

  PagePacker packer_;
  SparseWriter descriptors_, data_;
  std::string list_;
  std::optional<KdumpPage> zeros_;
};

}  // namespace

void write_kdump_core(const KdumpContent& content, AtomicFile& to, const std::string& attempted,
                      const Deadline& deadline) {
  const auto there = pages_in(content.there), written = pages_in(content.written);
  const auto end = there.empty() ? 0 : there.back().end();
  if (end > max_pages)
    throw FormatError(
        {.attempted = attempted,
         .reason = fmt::format("its memory goes up to {:#x}: too high for the format", end * page),
         .hint = "",
         .log = {}});
  std::uint64_t count = 0;
  for (const auto& r : written) count += r.size;

  const auto notes = write_elf_notes(content.notes);
  const auto bitmap_blocks = blocks((end + 7) / 8);
  KdumpSubHeader sub{};
  sub.phys_base = content.header.physical_base;
  for (const auto kind : content.left_out)
    sub.dump_level |= kind == PageKind::free   ? kdump_without_free
                      : kind == PageKind::user ? kdump_without_user
                                               : kdump_without_cache;
  sub.max_page_64 = end;
  sub.notes_at = page + sizeof(sub);
  sub.notes_size = notes.size();
  for (std::size_t i = 0, at = 0; i < content.notes.size(); ++i) {
    const auto next = write_elf_notes({content.notes[i]}).size();
    if (content.notes[i].name == "VMCOREINFO") {
      sub.vmcoreinfo_size = content.notes[i].data.size();
      sub.vmcoreinfo_at = sub.notes_at + at + next - (sub.vmcoreinfo_size + 3) / 4 * 4;
    }
    at += next;
  }
  PagePacker packer(content.compression);
  KdumpFileHeader header{};
  std::memcpy(header.signature, kdump_signature.data(), sizeof(header.signature));
  header.version = kdump_version;
  for (std::size_t i = 0; i < content.header.names.size(); ++i)
    content.header.names[i].copy(header.names[i], sizeof(header.names[i]) - 1);
  header.status = packer.flag();
  header.block_size = page;
  header.sub_header_blocks = static_cast<std::int32_t>(blocks(sizeof(sub) + notes.size()));
  header.bitmap_blocks = static_cast<std::uint32_t>(2 * bitmap_blocks);
  header.max_page = static_cast<std::uint32_t>(std::min<std::uint64_t>(end, UINT32_MAX));
  header.written_blocks = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
  header.cpus = content.cpus;

  SparseWriter out(to.descriptor(), attempted);
  const auto pad = [&] { out.write(std::string(-out.size() % page, '\0')); };
  out.write(raw(header));
  pad();
  out.write(raw(sub));
  out.write(notes);
  pad();
  write_bitmap(there, bitmap_blocks, out, attempted, deadline);
  write_bitmap(written, bitmap_blocks, out, attempted, deadline);
  Pages pages(content, to, out.size(), out.size() + count * sizeof(KdumpPage), attempted);
  each_page(content, attempted, deadline, [&](std::string_view bytes) { pages.add(bytes); });
  pages.finish();
}

}  // namespace kdev::crash
