// Faults and marks of a Linux kernel: include/linux/poison.h, include/linux/err.h; arch/x86/mm/fault.c,
// arch/arm64/mm/fault.c and arch/x86/kernel/traps.c print the faults.
#include <re2/re2.h>

#include <cstring>

#include "guest/fault_rules.hpp"
#include "guest/linux/linux.hpp"
#include "guest/linux/slab_object.hpp"

namespace kdev::guest {
namespace {

using re2::RE2;
using re2::StringPiece;

constexpr std::uint64_t page = 4096;
/// CONFIG_ILLEGAL_POINTER_VALUE of 64-bit machines, which list_poison's values are moved by where it is set.
constexpr std::uint64_t delta = 0xdead000000000000;
/// KASAN_SHADOW_OFFSET of x86-64, and of arm64 with 48 bits of address.
constexpr std::uint64_t x86_shadow = 0xdffffc0000000000;

constexpr std::uint64_t bytes(std::uint64_t byte) {
  return byte * 0x0101010101010101;
}
constexpr std::uint64_t words(std::uint64_t word) {
  return word << 32 | word;
}

const std::vector<Poison>& table() {
  static const std::vector<Poison> all{
      // What container_of() takes off, and what a member adds.
      {delta + 0x100, 0x80, 0x20, "an entry that was removed from a list (LIST_POISON1, its next)"},
      {delta + 0x122, 0x22, page, "an entry that was removed from a list (LIST_POISON2, its prev)"},
      {0x100, 0, 0, "an entry that was removed from a list (LIST_POISON1 without its delta)"},
      {0x122, 0, 0, "an entry that was removed from a list (LIST_POISON2 without its delta)"},
      {delta + 0x300, 0x20, 0x20, "a static timer (TIMER_ENTRY_STATIC)"},
      {delta + 0x400, 0x20, page, "a page's mapping in a compound page's tail (TAIL_MAPPING)"},
      {bytes(0x6b), page, page, "memory that was freed (SLUB's POISON_FREE)"},
      {0x6b6b6b6b, 0, 0, "memory that was freed (SLUB's POISON_FREE)"},
      {0xa56b6b6b6b6b6b6b, 0, 0, "the end of memory that was freed (SLUB's POISON_END)"},
      {bytes(0x5a), page, page, "memory that was allocated but not written (SLUB's POISON_INUSE)"},
      {0x5a5a5a5a, 0, 0, "memory that was allocated but not written (SLUB's POISON_INUSE)"},
      {bytes(0xa5), page, page, "the end of an object (SLUB's POISON_END)"},
      {bytes(0xbb), page, page, "the red zone of a free object (SLUB_RED_INACTIVE)"},
      {bytes(0xcc), page, page, "the red zone of an object in use (SLUB_RED_ACTIVE), or freed init memory"},
      {bytes(0xaa), page, page, "a page that was freed (PAGE_POISON)"},
      {bytes(0xa7), page, page, "memory of a DMA pool that was freed (POOL_POISON_FREED)"},
      {bytes(0xa9), page, page, "memory of a DMA pool that was not written (POOL_POISON_ALLOCATED)"},
      {bytes(0xfe), page, page, "a variable on the stack that was not written (INIT_STACK_ALL_PATTERN)"},
      {words(0xdeadbeef), page, page, "a mark of code that is done with it (deadbeef)"},
      {0xdeadbeef, 0, page, "a mark of code that is done with it (deadbeef)"},
      {words(0xdead4ead), 0, 0, "a spinlock's magic (SPINLOCK_MAGIC)"},
      {0xdead4ead, 0, 0, "a spinlock's magic (SPINLOCK_MAGIC)"},
      {0x57ac6e9d, 0, 0, "the canary at a stack's end (STACK_END_MAGIC)"},
      {0x09f911029d74e35b, 0, 0, "the red zone of a free object (RED_INACTIVE)"},
      {0xd84156c5635688c0, 0, 0, "the red zone of an object in use (RED_ACTIVE)"},
      {bytes(0x11), 0, 0, "a mutex in debugging (MUTEX_DEBUG_INIT)"},
      {bytes(0x22), 0, 0, "a mutex that was destroyed (MUTEX_DEBUG_FREE)"},
      // Of any other mark made with the delta.
      {delta, 0, 0x10000, "a pointer made invalid (POISON_POINTER_DELTA)"},
  };
  return all;
}

std::optional<std::uint64_t> hex(const StringPiece& text) {
  return register_value({text.data(), text.size()});
}

/// "Code: 0f 1f <48> 8b 47 28", of arm64 words: "Code: aa0003f3 (f9400660)".
std::string code_at_fault(const std::string& text) {
  // The first line is the kernel's; a program's may follow.
  const auto begin = text.find("Code: ");
  if (begin == std::string::npos) return {};
  const auto code =
      std::string_view(text).substr(begin + 6, std::min<std::size_t>(text.find('\n', begin) - begin, 600));
  const auto from = code.find_first_of("<(");
  if (from == std::string_view::npos || code.find_first_not_of("0123456789abcdef<>() \r\n") < from) return {};
  std::string bytes, digits;
  const auto finish = [&] {
    for (std::size_t i = digits.size() / 2; digits.size() % 2 == 0 && i-- > 0;)
      bytes += static_cast<char>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
    digits.clear();
  };
  for (std::size_t i = from; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '\n' || c == '\r') break;
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
      digits += c;
    else
      finish();
  }
  finish();
  return bytes;
}

class LinuxFaultRules final : public FaultRules {
 public:
  const std::vector<Poison>& poisons() const override { return table(); }

  std::string special(std::uint64_t value) const override {
    constexpr std::uint64_t max_errno = 4095;
    if (value < ~std::uint64_t{0} - max_errno + 1) return {};
    const auto number = static_cast<int>(-static_cast<std::int64_t>(value));
    // The numbers are those of the host's C library: all 64-bit machines' that kdev knows are alike.
    const char* name = strerrorname_np(number);
    // -1 is more often just that.
    if (!name || number == 1) return {};
    return std::string("the error -") + name + " as a pointer (ERR_PTR)";
  }

  std::optional<PrintedFault> printed(const CrashReport& report) const override {
    static const RE2 fault(
        R"((?:NULL pointer dereference,? |handle (?:kernel )?(?:page fault|paging request|NULL pointer dereference|access to user memory|execution of user memory).{0,40}?)(?:for |at )?(?:virtual )?(?:address:? |at )?(?:virtual address )?(?:0x)?([0-9a-f]{8,16})\b)");
    static const RE2 general(
        R"(general protection fault.{0,60}non-canonical address (?:0x)?([0-9a-f]{8,16}))");
    static const RE2 range(
        R"(KASAN: (?:null-ptr-deref|probably user-memory-access|maybe wild-memory-access|probably wild-memory-access) in range \[0x([0-9a-f]{1,16})-)");
    static const RE2 kind(R"(#PF: supervisor (read access|write access|instruction fetch))");
    static const RE2 oops(R"(Oops: ([0-9a-f]{4}) )");
    static const RE2 arm_kind(R"((?:WnR = ([01])|Exception class = (IABT)|EC = .{0,20}: (IABT)))");
    const std::string_view message = report.message;
    PrintedFault found;
    StringPiece address, access, other, third;
    const StringPiece head(message.data(), message.size());
    const bool general_fault = message.find("general protection fault") != std::string_view::npos;
    if (RE2::PartialMatch(head, fault, &address) ||
        (general_fault && RE2::PartialMatch(head, general, &address)))
      found.address = hex(address);
    else if (!general_fault && message.find("unable to handle") == std::string_view::npos &&
             message.find("Unable to handle") == std::string_view::npos)
      return std::nullopt;
    if (general_fault && RE2::PartialMatch(report.text, range, &address)) found.address = hex(address);
    if (const auto cr2 = report.registers.find("CR2");
        !found.address && !general_fault && cr2 != report.registers.end())
      found.address = register_value(cr2->second);
    if (RE2::PartialMatch(report.text, kind, &access))
      found.access = access == "read access" ? "read" : access == "write access" ? "write" : "execute";
    else if (RE2::PartialMatch(report.text, oops, &access) && !general_fault &&
             report.registers.count("CR2")) {
      // enum x86_pf_error_code: before 5.0 it was printed as a number only.
      const auto bits = hex(access).value_or(0);
      found.access = bits & 0x10 ? "execute" : bits & 2 ? "write" : "read";
    } else if (RE2::PartialMatch(report.text, arm_kind, &access, &other, &third))
      found.access = !other.empty() || !third.empty() ? "execute" : access == "1" ? "write" : "read";
    found.code = code_at_fault(report.text);
    return found;
  }

  std::optional<SlabObject> object(const CrashReport& report) const override {
    return linux_slab_object(report);
  }
  std::optional<int> object_trace(std::string_view name, bool freed) const override {
    return linux_object_trace(name, freed);
  }
  bool is_allocator(std::string_view function) const override {
    // mm/slub.c, mm/slab_common.c, mm/util.c, mm/kasan/, include/linux/slab.h.
    static const RE2 names(
        R"(_{0,3}(?:kasan_|kmem_cache_|slab_|kmalloc|kzalloc|kcalloc|krealloc|kvmalloc|kvfree|kvzalloc|kfree|kstrdup|kstrndup|kmemdup|do_slab_free|stack_trace_save|set_track|save_stack)\w*(?:\.\w+)*)");
    return RE2::FullMatch(StringPiece(function.data(), function.size()), names);
  }
  std::optional<std::uint64_t> shadowed(std::uint64_t address) const override {
    // An eighth of the addresses from the shadow's beginning on.
    if (address < x86_shadow || address - x86_shadow > page) return std::nullopt;
    return (address - x86_shadow) << 3;
  }
};

}  // namespace

const FaultRules& linux_fault_rules() {
  static const LinuxFaultRules rules;
  return rules;
}

}  // namespace kdev::guest
