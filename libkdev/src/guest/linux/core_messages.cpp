// The kernel's messages: the ring buffer of 5.10 and later (struct printk_ringbuffer in
// kernel/printk/printk_ringbuffer.h: descriptors, what is known of each message, and their texts), or the
// records of variable length before (struct printk_log in kernel/printk/printk.c). Layouts come from
// VMCOREINFO, so that the kernel's file is not needed, else from the file.
#include <fmt/format.h>

#include "guest/linux/core_facts.hpp"
#include "guest/linux/vmcoreinfo.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view printk = "kernel/printk/printk.c";
/// LOG_BUF_LEN_MAX.
constexpr std::uint64_t max_size = 1ull << 31;
constexpr std::size_t max_messages = 64u << 20;  // bytes of text
/// PRB_AVGBITS: there is a descriptor for 32 bytes.
constexpr std::uint64_t max_count_bits = 26;
constexpr std::size_t max_count = 1u << 22;
/// Of descriptors that are not in the dump, one after the other.
constexpr std::size_t max_missing = 1u << 16;
/// caller_id of a message that no task printed (printk_caller_id).
constexpr std::uint32_t by_cpu = 0x80000000;

/// Structures and variables as VMCOREINFO tells of them, or the kernel's file.
class Layout {
 public:
  Layout(const CoreMemory& memory, const KernelView* view)
      : memory_(memory), view_(view), info_(Vmcoreinfo::of(memory)) {}

  std::optional<std::uint64_t> offset(std::string_view type, std::string_view name) const {
    if (const auto known = info_.offset(fmt::format("{}.{}", type, name))) return known;
    const auto member = view_ ? view_->member(type, name, printk) : std::nullopt;
    return member ? std::optional(member->offset) : std::nullopt;
  }
  std::optional<std::uint64_t> size(std::string_view type) const {
    if (const auto known = info_.size(type)) return known;
    return view_ ? view_->size_of(type, printk) : std::nullopt;
  }
  std::optional<std::uint64_t> symbol(std::string_view name) const {
    if (const auto known = info_.symbol(name)) return known;
    const auto found = view_ ? view_->symbol(name) : std::nullopt;
    return found ? std::optional(found->address) : std::nullopt;
  }
  std::optional<std::uint64_t> number(std::optional<std::uint64_t> address, std::size_t size = 8) const {
    std::uint64_t value = 0;
    if (!address || !memory_.read_virtual(*address, &value, size)) return std::nullopt;
    return value;
  }
  std::optional<std::uint64_t> number(std::uint64_t structure, std::string_view type, std::string_view name,
                                      std::size_t size = 8) const {
    const auto at = offset(type, name);
    return at ? number(structure + *at, size) : std::nullopt;
  }

 private:
  const CoreMemory& memory_;
  const KernelView* view_;
  const Vmcoreinfo info_;
};

struct Message {
  std::uint64_t nanoseconds = 0;
  int level = -1;  // not known
  std::optional<std::uint32_t> caller{};
  std::string text{};
};

std::string caller_of(const Message& m) {
  if (!m.caller) return {};
  return fmt::format("{}{}", *m.caller & by_cpu ? 'C' : 'T', *m.caller & ~by_cpu);
}

/// A prefix before each of its lines, as record_print_text() writes them.
void print(std::string& out, const Message& message) {
  const auto micros = message.nanoseconds / 1000;
  auto prefix = fmt::format("[{:5}.{:06}]", micros / 1000000, micros % 1000000);
  if (message.caller) prefix += fmt::format("[{:>6}]", caller_of(message));
  for (std::string_view text = message.text;;) {
    const auto end = text.find('\n');
    out += prefix + ' ';
    out.append(text.substr(0, end)) += '\n';
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

/// Where a record's level is, in the upper three bits: in the byte behind `facility`, beside five flags.
std::optional<std::uint64_t> level_offset(const Layout& layout, std::string_view record) {
  if (const auto facility = layout.offset(record, "facility")) return *facility + 1;
  // VMCOREINFO does not name it: there are these two bytes between what it does name, or it is not known.
  const auto length = layout.offset(record, "text_len"), caller = layout.offset(record, "caller_id");
  if (length && caller && *caller == *length + 4) return *length + 3;
  return std::nullopt;
}

int level_at(const Layout& layout, std::uint64_t record, std::optional<std::uint64_t> offset) {
  const auto byte = offset ? layout.number(record + *offset, 1) : std::nullopt;
  return byte ? static_cast<int>(*byte >> 5) : -1;
}

std::vector<Message> ring_messages(const CoreMemory& memory, const Layout& layout, std::uint64_t ring) {
  const auto descriptors = layout.offset("printk_ringbuffer", "desc_ring");
  const auto texts = layout.offset("printk_ringbuffer", "text_data_ring");
  if (!descriptors || !texts) return {};
  const auto desc_ring = ring + *descriptors, text_ring = ring + *texts;
  const auto count_bits = layout.number(desc_ring, "prb_desc_ring", "count_bits", 4),
             descs = layout.number(desc_ring, "prb_desc_ring", "descs"),
             infos = layout.number(desc_ring, "prb_desc_ring", "infos"),
             head = layout.number(desc_ring, "prb_desc_ring", "head_id"),
             tail = layout.number(desc_ring, "prb_desc_ring", "tail_id"),
             size_bits = layout.number(text_ring, "prb_data_ring", "size_bits", 4),
             data = layout.number(text_ring, "prb_data_ring", "data");
  const auto desc_size = layout.size("prb_desc"), info_size = layout.size("printk_info"),
             state_at = layout.offset("prb_desc", "state_var"),
             block_at = layout.offset("prb_desc", "text_blk_lpos"),
             begin_at = layout.offset("prb_data_blk_lpos", "begin"),
             next_at = layout.offset("prb_data_blk_lpos", "next"),
             time_at = layout.offset("printk_info", "ts_nsec"),
             length_at = layout.offset("printk_info", "text_len"),
             caller_at = layout.offset("printk_info", "caller_id"),
             level_at_offset = level_offset(layout, "printk_info");
  if (!count_bits || !descs || !infos || !head || !tail || !size_bits || !data || !desc_size || !info_size ||
      !state_at || !block_at || !begin_at || !next_at || !time_at || !length_at ||
      *count_bits > max_count_bits || *size_bits > 31)
    return {};
  const std::uint64_t count = 1ull << *count_bits, size = 1ull << *size_bits;
  // DESC_ID_MASK and DESC_STATE: the upper two bits of an id are its state.
  constexpr std::uint64_t id_mask = ~0ull >> 2;
  constexpr std::uint64_t committed = 1, finalized = 2;
  // What holds a text begins with its id (struct prb_data_block); positions that are odd stand for no text
  // (LPOS_DATALESS).
  constexpr std::uint64_t id_size = 8;
  std::vector<Message> out;
  std::size_t bytes = 0, missing = 0;
  for (std::uint64_t n = 0, id = *tail & id_mask; n < count; ++n, id = (id + 1) & id_mask) {
    const auto desc = *descs + id % count * *desc_size, info = *infos + id % count * *info_size;
    const auto state = layout.number(desc + *state_at), begin = layout.number(desc + *block_at + *begin_at),
               next = layout.number(desc + *block_at + *next_at), time = layout.number(info + *time_at),
               length = layout.number(info + *length_at, 2);
    const bool there =
        state && (*state & id_mask) == id && (*state >> 62 == committed || *state >> 62 == finalized);
    missing = state ? 0 : missing + 1;
    if (there && begin && next && time && length) {
      Message& message = out.emplace_back();
      message.nanoseconds = *time;
      message.level = level_at(layout, info, level_at_offset);
      std::string& text = message.text;
      if (!(*begin & 1)) {
        auto at = *begin % size, end = *next % size;
        if (end == 0) end = size;
        if (at >= end) at = 0;  // it did not fit in before the buffer's end
        if (end - at >= id_size) {
          text.resize(std::min(*length, end - at - id_size));
          if (!memory.read_virtual(*data + at + id_size, text.data(), text.size())) text.clear();
        }
      }
      if (caller_at)
        if (const auto value = layout.number(info + *caller_at, 4))
          message.caller = static_cast<std::uint32_t>(*value);
      bytes += text.size();
    }
    if (id == (*head & id_mask) || bytes > max_messages || out.size() > max_count || missing > max_missing)
      break;
  }
  return out;
}

/// Before 5.10.
std::vector<Message> record_messages(const CoreMemory& memory, const Layout& layout) {
  const auto buffer = layout.number(layout.symbol("log_buf")),
             size = layout.number(layout.symbol("log_buf_len"), 4),
             first = layout.number(layout.symbol("log_first_idx"), 4),
             next = layout.number(layout.symbol("log_next_idx"), 4);
  const auto time_at = layout.offset("printk_log", "ts_nsec"), length_at = layout.offset("printk_log", "len"),
             text_at = layout.offset("printk_log", "text_len"), header = layout.size("printk_log"),
             level_at_offset = level_offset(layout, "printk_log");
  if (!buffer || !size || !first || !next || !time_at || !length_at || !text_at || !header ||
      *size > max_size)
    return {};
  std::vector<Message> out;
  // Each step goes up, and once round.
  bool wrapped = false;
  std::size_t bytes = 0;
  for (std::uint64_t at = *first; !(wrapped ? at >= *next : at == *next) && at < *size &&
                                  bytes < max_messages && out.size() < max_count;) {
    const auto record = *buffer + at;
    const auto time = layout.number(record + *time_at), length = layout.number(record + *length_at, 2),
               text_length = layout.number(record + *text_at, 2);
    if (!time || !length || !text_length) break;
    if (*length == 0) {  // the next one is at the buffer's beginning
      if (wrapped) break;
      wrapped = true;
      at = 0;
      continue;
    }
    if (*length < *header) break;
    std::string text(std::min(*text_length, *length - *header), '\0');
    if (!memory.read_virtual(record + *header, text.data(), text.size())) break;
    bytes += text.size();
    out.push_back({*time, level_at(layout, record, level_at_offset), std::nullopt, std::move(text)});
    at += *length;
  }
  return out;
}

std::vector<Message> messages(const CoreMemory& memory, const KernelView* view) {
  const Layout layout(memory, view);
  if (const auto ring = layout.number(layout.symbol("prb")); ring && *ring)
    return ring_messages(memory, layout, *ring);
  return record_messages(memory, layout);
}

}  // namespace

std::string linux_messages(const CoreMemory& memory, const KernelView* view) {
  std::string out;
  for (const auto& message : messages(memory, view)) print(out, message);
  return out;
}

std::vector<CoreMessage> linux_message_list(const CoreMemory& memory, const KernelView* view) {
  std::vector<CoreMessage> out;
  for (auto& m : messages(memory, view))
    out.push_back({.time = static_cast<double>(m.nanoseconds / 1000) / 1e6,
                   .level = m.level,
                   .caller = caller_of(m),
                   .text = std::move(m.text)});
  return out;
}

}  // namespace kdev::guest
