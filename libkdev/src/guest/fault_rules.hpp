#pragma once
// What a guest's kernel says of an access that faulted, and the marks that it leaves in memory. Stateless and
// thread-safe. The class itself knows of no guest.
#include <cstdint>
#include <kdev/crash.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

/// A value that a kernel writes where nothing should be read.
struct Poison {
  std::uint64_t value = 0;
  std::uint64_t below = 0, above = 0;  ///< bytes: an address this near is a member of what lies there
  std::string_view meaning;
};

/// The fault as a report prints it.
struct PrintedFault {
  std::optional<std::uint64_t> address{};
  std::string access{};  ///< "read", "write", "execute"; empty: it does not say
  std::string code{};    ///< machine code from the faulting instruction on; empty: not printed
};

class FaultRules {
 public:
  virtual ~FaultRules() = default;
  /// The table of marks; the first that fits counts.
  virtual const std::vector<Poison>& poisons() const {
    static const std::vector<Poison> none;
    return none;
  }
  /// What a value is that no table can list: an error number as a pointer. Empty: nothing.
  virtual std::string special(std::uint64_t) const { return {}; }
  /// Nothing: the report is of no fault.
  virtual std::optional<PrintedFault> printed(const CrashReport&) const { return std::nullopt; }
  /// The function allocates and frees for others: who called it is to be named.
  virtual bool is_allocator(std::string_view /*function*/) const { return false; }
  /// The address whose shadow byte lies at this one, of a sanitizer's instrumentation; nothing: it is none.
  virtual std::optional<std::uint64_t> shadowed(std::uint64_t) const { return std::nullopt; }
  /// The allocator's object that the report is about, without the functions: those are in its traces.
  /// Nothing: it names none.
  virtual std::optional<SlabObject> object(const CrashReport&) const { return std::nullopt; }
  /// Pid of a trace's name when it is one of who allocated ("Allocated by task 42") or freed (`freed`) the
  /// object; -1: it is, and does not say; nothing: it is none.
  virtual std::optional<int> object_trace(std::string_view /*name*/, bool /*freed*/) const {
    return std::nullopt;
  }

  /// What a value is a mark of: "memory that was freed memory of the slab allocator (POISON_FREE)", with
  /// "+0x28" when it is only near; empty: of nothing.
  std::string meaning(std::uint64_t value) const;
};

/// Of each register that a report prints and that holds a mark; those that always hold addresses and flags
/// left out.
std::vector<PoisonedRegister> poisoned_registers(const CrashReport& report, const FaultRules& rules);
/// A register's number as a report prints it: "0000000000000028", "0x28", "0010:ffffffff81000000"; nothing:
/// it is no number.
std::optional<std::uint64_t> register_value(std::string_view printed);

/// The same of what a pattern matched; 0: it is no number.
template <class Text>
std::uint64_t printed_number(const Text& matched) {
  return register_value({matched.data(), matched.size()}).value_or(0);
}

}  // namespace kdev::guest
