#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "guest/core_rules.hpp"

namespace kdev::guest {

/// What a kernel tells dump tools of itself: lines "OSRELEASE=6.1.0",
/// "SYMBOL(init_top_pgt)=ffffffff81a09000", "OFFSET(printk_info.text_len)=16", ...
/// (crash_save_vmcoreinfo_init in kernel/crash_core.c and arch_crash_save_vmcoreinfo).
class Vmcoreinfo {
 public:
  Vmcoreinfo() = default;
  explicit Vmcoreinfo(std::string_view text);
  /// Of the dump's note; empty when it has none.
  static Vmcoreinfo of(const CoreMemory& memory);
  /// The note as it is; without one, what the kernel keeps in memory for a dump to come. Empty: neither.
  static std::string text_of(const CoreMemory& memory, const KernelView* view);

  bool empty() const { return lines_.empty(); }
  /// "OSRELEASE", "NUMBER(phys_base)".
  std::string text(std::string_view key) const;
  std::optional<std::uint64_t> symbol(std::string_view name) const;
  std::optional<std::uint64_t> offset(std::string_view member) const;
  std::optional<std::uint64_t> size(std::string_view type) const;
  /// Decimal; a negative one as its two's complement.
  std::optional<std::uint64_t> number(std::string_view name) const;
  std::optional<std::uint64_t> hex(std::string_view key) const;

 private:
  std::map<std::string, std::string, std::less<>> lines_;
};

}  // namespace kdev::guest
