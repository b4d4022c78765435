// ORC: for each address of code, how to find the caller's stack pointer
// (Documentation/arch/x86/orc-unwinder.rst; struct orc_entry in arch/x86/include/asm/orc_types.h;
// arch/x86/kernel/unwind_orc.c). It knows assembly code, too. Read from the dump's memory, where the tables
// are sorted.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "guest/linux/core_facts.hpp"

namespace kdev::guest {
namespace {

enum class Type { undefined, end, call, regs, regs_partial };
enum Reg { undefined, prev_sp, dx, di, bp, sp, r10, r13, bp_indirect, sp_indirect };

struct Entry {
  std::int64_t sp_offset = 0, bp_offset = 0;
  unsigned sp_reg = 0, bp_reg = 0;
  Type type = Type::undefined;
};

/// Layouts of its flags: 1 has an end bit behind two of type; 2 (6.3) a signal bit before that; 3 (6.4) three
/// bits of type. 0: another one.
int layout_of(const KernelView& view) {
  // What scripts/orc_hash.sh makes of the header with these structures.
  static constexpr std::array<unsigned char, 20> hash_6_3{0xdb, 0x84, 0xae, 0xd4, 0x10, 0x3b, 0x31,
                                                          0xdd, 0x51, 0xe0, 0x17, 0xf8, 0xf7, 0x97,
                                                          0x83, 0xca, 0x98, 0x5c, 0x2c, 0x51};
  static constexpr std::array<unsigned char, 20> hash_6_4{0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6,
                                                          0x3b, 0x2c, 0xa9, 0xa5, 0xc6, 0x5b, 0xa5,
                                                          0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24};
  if (const auto header = view.symbol("__start_orc_header")) {
    std::array<unsigned char, 20> hash{};
    if (!view.read(header->address, hash.data(), hash.size())) return 0;
    return hash == hash_6_4 ? 3 : hash == hash_6_3 ? 2 : 0;
  }
  // The first kernels with those had no header yet.
  const auto banner = view.symbol("linux_banner");
  const std::string text = banner ? view.text(banner->address, 64) : std::string();
  constexpr std::string_view before = "Linux version ";
  int major = 0, minor = 0;
  if (!text.starts_with(before)) return 0;
  const char* const last = text.data() + text.size();
  const auto first = std::from_chars(text.data() + before.size(), last, major);
  if (first.ptr != last) std::from_chars(first.ptr + 1, last, minor);
  return major > 6 || (major == 6 && minor >= 4) ? 3 : major == 6 && minor == 3 ? 2 : 1;
}

struct Table {
  std::uint64_t ips = 0, entries = 0, count = 0;
};

std::optional<Table> table_for(const KernelView& view, std::uint64_t pc) {
  if (const auto module = linux_module_at(view, pc)) {
    const auto number = [&](std::string_view name) {
      return view.number(*module, "module", name, linux_module_unit(view));
    };
    const auto ips = number("arch.orc_unwind_ip"), entries = number("arch.orc_unwind"),
               count = number("arch.num_orcs");
    if (!ips || !entries || !count) return std::nullopt;
    return Table{*ips, *entries, *count};
  }
  const auto ips = view.symbol("__start_orc_unwind_ip"), end = view.symbol("__stop_orc_unwind_ip"),
             entries = view.symbol("__start_orc_unwind");
  if (!ips || !end || !entries || end->address < ips->address) return std::nullopt;
  return Table{ips->address, entries->address, (end->address - ips->address) / 4};
}

std::optional<Entry> entry_for(const KernelView& view, std::uint64_t pc) {
  const auto table = table_for(view, pc);
  const int layout = table ? layout_of(view) : 0;
  if (!layout || !table->count) return std::nullopt;
  // The last one that begins at or before it.
  std::uint64_t low = 0, high = table->count;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto at = table->ips + middle * 4;
    const auto offset = view.number(at, 4);
    if (!offset) return std::nullopt;
    const auto begins =
        at + static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(*offset)));
    if (begins <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  struct {
    std::int16_t sp_offset, bp_offset;
    std::uint16_t flags;
  } raw{};
  if (low == 0 || !view.read(table->entries + (low - 1) * 6, &raw, 6)) return std::nullopt;
  Entry e{raw.sp_offset, raw.bp_offset, raw.flags & 15u, raw.flags >> 4 & 15u, Type::undefined};
  if (layout == 3) {
    const unsigned type = raw.flags >> 8 & 7;
    if (type > 4) return std::nullopt;
    e.type = static_cast<Type>(type);
  } else {
    const unsigned type = raw.flags >> 8 & 3;
    const bool end = raw.flags >> (layout == 2 ? 11 : 10) & 1;
    if (type == 3) return std::nullopt;
    e.type = e.sp_reg == undefined ? (end ? Type::end : Type::undefined) : static_cast<Type>(type + 2);
  }
  return e;
}

}  // namespace

std::optional<Unwound> linux_orc(const KernelView& view, const Registers& r) {
  const auto entry = entry_for(view, r.pc_is_return ? r.pc - 1 : r.pc);
  if (!entry || entry->type == Type::undefined) return std::nullopt;
  Unwound u;
  if (entry->type == Type::end) {
    u.end = true;
    return u;
  }
  const auto known = [&](int dwarf) -> std::optional<std::uint64_t> {
    const auto it = r.values.find(dwarf);
    return it == r.values.end() ? std::nullopt : std::optional(it->second);
  };
  const auto offset = static_cast<std::uint64_t>(entry->sp_offset);
  std::optional<std::uint64_t> top;
  switch (entry->sp_reg) {
    case sp:
      if ((top = known(7))) *top += offset;
      break;
    case bp:
      if ((top = known(6))) *top += offset;
      break;
    case sp_indirect:
      if ((top = known(7)) && (top = view.number(*top))) *top += offset;
      break;
    case bp_indirect:
      if ((top = known(6))) top = view.number(*top + offset);
      break;
    case dx:
      top = known(1);
      break;
    case di:
      top = known(5);
      break;
    case r10:
      top = known(10);
      break;
    case r13:
      top = known(13);
      break;
    default:
      break;
  }
  if (!top) return std::nullopt;
  Registers& caller = u.registers;
  if (entry->type != Type::call) {
    const auto ip_at = view.member("pt_regs", "ip", "arch/x86/kernel/process.c");
    if (!ip_at) return std::nullopt;
    // Of a partial one there is what the processor pushed: the address, and the stack pointer.
    const bool partial = entry->type == Type::regs_partial;
    auto trapped = linux_trap_registers(view, partial ? *top - ip_at->offset : *top);
    u.trap = true;
    u.end = !trapped;
    if (!trapped) return u;
    caller = std::move(*trapped);
    if (partial) std::erase_if(caller.values, [](const auto& value) { return value.first != 7; });
    if (partial)
      if (const auto frame = known(6)) caller.values[6] = *frame;
    return u;
  }
  const auto pc = view.number(*top - 8);
  if (!pc) return std::nullopt;
  caller.pc = *pc;
  caller.pc_is_return = true;
  caller.values[7] = *top;
  auto frame = known(6);
  if (entry->bp_reg == prev_sp)
    frame = view.number(*top + static_cast<std::uint64_t>(entry->bp_offset));
  else if (entry->bp_reg == bp && frame)
    frame = view.number(*frame + static_cast<std::uint64_t>(entry->bp_offset));
  if (frame) caller.values[6] = *frame;
  return u;
}

}  // namespace kdev::guest
