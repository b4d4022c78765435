#pragma once
#include <kdev/crash.hpp>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "crash/core/kernel_types.hpp"
#include "crash/debug_info.hpp"
#include "crash/expand.hpp"
#include "guest/core_rules.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::crash {

/// The kernel that a dump is of and its modules, with symbols at the addresses that they had. Not
/// thread-safe.
class KernelImage {
 public:
  /// FormatError when the kernel's file has no symbols; HostError.
  KernelImage(const SymbolSources& sources, const guest::SymbolRules& rules);

  /// What is at an address. `info` null: no file that is known.
  struct Place {
    const DebugInfo* info = nullptr;
    std::string module;       ///< empty: the kernel
    std::uint64_t slide = 0;  ///< to be taken off an address before it is looked up there
  };
  Place at(std::uint64_t address) const;
  /// The function, or a label of assembly code; null: none.
  const ElfSymbol* code_at(std::uint64_t address) const;
  /// "function+4", a variable or a function by its symbol, as gdb writes it; empty: nothing has a name there.
  std::string name_of(std::uint64_t address) const;
  /// The symbol that an address is in, of code or data; of a module only functions. Null: none.
  const ElfSymbol* symbol_at(std::uint64_t address) const;
  /// As far as is known: in a module of which there is no file, anything may be.
  bool may_be_code(std::uint64_t address) const;
  /// Inline frames first, then the real one, which is always there: nameless when nothing is known.
  std::vector<StackFrame> expand(std::uint64_t address, bool return_address) const;
  /// The same of a frame that the kernel printed. Empty: no file has such a function.
  std::vector<StackFrame> expand(const StackFrame& printed, bool return_address) const;
  /// The frame is the instruction that faulted, not a call's return address.
  bool is_pc(const CrashReport& report, const StackFrame& printed) const {
    return rules_.is_pc(report, printed);
  }
  std::optional<guest::KernelSymbol> symbol(std::string_view name) const;
  /// Of a function of the kernel's. Its size is not known.
  std::optional<guest::KernelSymbol> static_variable(std::string_view function, std::string_view name) const;
  /// "name", "name+0x10": the kernel's or a module's variable that an address is in; empty: none.
  std::string variable_at(std::uint64_t address) const;
  /// The kernel itself has something at these addresses.
  bool has_symbols_in(std::uint64_t low, std::uint64_t size) const;
  /// The kernel lies this much above where its file says. Addresses here are those in memory.
  void slide(std::uint64_t by) { slide_ = by; }
  /// What an address, as linked or in memory, moves by.
  std::uint64_t slide_at(std::uint64_t address) const;
  /// Where a frame's file lies, if it does.
  Path source_tree() const { return source_.tree(); }
  Path source_file(const std::string& file) const { return source_.path(file); }
  KernelTypes& types() const { return types_; }
  const DebugInfo& kernel() const { return kernel_; }

  /// Opens the file of a module that was loaded. Empty: there is none; then `notes` say so if it could not be
  /// read.
  Path add_module(const guest::ModuleState& module, std::vector<std::string>& notes);

 private:
  struct Loaded {
    std::string name;
    std::uint64_t low = 0, high = 0;
    std::unique_ptr<DebugInfo> info;  // null: no file
    std::uint64_t slide = 0;          // of a shared object
  };
  Path file_of(const std::string& name);

  SymbolSources sources_;
  const guest::SymbolRules& rules_;
  DebugInfo kernel_;
  mutable SourceText source_;
  mutable KernelTypes types_;
  const std::vector<ElfSymbol>& symbols_;                           // the kernel's, by address
  std::unordered_map<std::string_view, const ElfSymbol*> by_name_;  // likewise
  std::map<std::string, Path> files_;                               // of modules, by name
  bool listed_ = false;
  std::uint64_t slide_ = 0;
  std::vector<Loaded> modules_;
};

}  // namespace kdev::crash
