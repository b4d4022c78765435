#pragma once
#include <optional>
#include <vector>

#include "crash/core/kernel_image.hpp"
#include "crash/core/machine.hpp"
#include "guest/core_rules.hpp"

namespace kdev::crash {

/// A function's activation on a stack.
struct Activation {
  std::uint64_t pc = 0;
  bool return_address =
      false;             ///< a call lies before pc; else it is where a trap came, or the thread was left
  std::uint64_t sp = 0;  ///< its stack pointer at pc
  guest::Registers registers{};  ///< those of its own that are known: what calls preserve, or all at a trap
};

/// Walks stacks: by call frame information where there is some, else by the kernel's own tables or frame
/// pointers, and through traps. It ends on any stack: each step goes up, or through one of a limited number
/// of traps.
class Unwinder {
 public:
  Unwinder(const guest::KernelView& view, const KernelImage& image, const guest::CoreRules& rules,
           const Machine& machine)
      : view_(view), image_(image), rules_(rules), machine_(machine) {}
  /// Innermost first.
  std::vector<Activation> walk(guest::Registers registers, std::size_t limit = max_frames) const;
  /// The canonical frame address, by call frame information. Nothing: there is none.
  std::optional<std::uint64_t> cfa(const guest::Registers& registers) const;

 private:
  static constexpr std::size_t max_frames = 1024;
  bool step(guest::Registers& registers, int& traps) const;
  bool by_return_address(guest::Registers& registers) const;
  /// The same where calls leave it in a register.
  bool by_link_register(guest::Registers& registers) const;
  /// From what is no code to the one who called it.
  bool from_nowhere(guest::Registers& registers) const;
  /// A step to the caller that ends: up the stack, but for a function without a part of it that was
  /// interrupted.
  bool is_up(const guest::Registers& from, const guest::Registers& to) const;
  void keep_preserved(guest::Registers& registers) const;
  /// By the return address on the stack, not far, whose call is of the function.
  bool by_call(guest::Registers& registers) const;
  bool by_call_frames(guest::Registers& registers) const;
  bool by_frame_pointer(guest::Registers& registers) const;

  const guest::KernelView& view_;
  const KernelImage& image_;
  const guest::CoreRules& rules_;
  const Machine& machine_;
};

}  // namespace kdev::crash
