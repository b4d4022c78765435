#pragma once
// Arguments and local variables of the functions on a stack.
#include <kdev/variable.hpp>
#include <optional>
#include <vector>

#include "crash/core/unwinder.hpp"
#include "crash/dwarf_location.hpp"

namespace kdev::crash {

/// Those of one frame.
struct FrameVariables {
  std::vector<Variable> args{}, locals{};
};

/// Reads them from the dump. What hostile debug information can cost is limited, for a variable and for the
/// stack. Not thread-safe; the arguments outlive it.
class VariableReader {
 public:
  VariableReader(const guest::KernelView& view, const KernelImage& image, const guest::CoreRules& rules,
                 const Unwinder& unwinder, const std::vector<Activation>& stack)
      : view_(view),
        image_(image),
        rules_(rules),
        unwinder_(unwinder),
        stack_(stack),
        contexts_(stack.size()) {}

  /// Of an activation's frames, in the order of KernelImage::expand(); empty: nothing is known of its
  /// function.
  std::vector<FrameVariables> of(std::size_t activation);

 private:
  struct Context {
    DwarfScopes scopes;
    DwarfFrame frame;
  };
  /// Null: its function has no debug information.
  const Context* context(std::size_t activation);
  /// What a register held when an activation's function was entered, as the call in the next one says.
  std::optional<std::uint64_t> at_entry(std::size_t activation, int reg, DwarfLimits& limits);
  bool calls(Dwarf_Die& site, const Context& caller, const Context& callee, DwarfLimits& limits) const;
  void add_scope(Dwarf_Die& scope, std::size_t activation, FrameVariables& to);
  std::optional<Variable> read(Dwarf_Die& entry, std::size_t activation);
  /// Of an argument that is not known, what it was when its function was called; nothing: nobody knows.
  std::optional<std::uint64_t> argument_at_entry(Dwarf_Die& argument, Dwarf_Attribute& location,
                                                 std::size_t activation, DwarfLimits& limits);

  const guest::KernelView& view_;
  const KernelImage& image_;
  const guest::CoreRules& rules_;
  const Unwinder& unwinder_;
  const std::vector<Activation>& stack_;
  std::vector<std::optional<Context>> contexts_;
  int left_ = 20000;  // variables that may be read
};

}  // namespace kdev::crash
