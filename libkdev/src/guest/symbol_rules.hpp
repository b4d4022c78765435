#pragma once
// How a guest's crash reports and the files with its symbols name each other. Stateless and thread-safe. The
// class itself knows of no guest: for one that has no rules of its own, or not yet.
#include <cstdint>
#include <kdev/crash.hpp>
#include <kdev/path.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/elf_file.hpp"

namespace kdev::guest {

/// GNU build ids that a report prints, hex.
struct PrintedBuildIds {
  std::string kernel;                                        ///< empty: not printed
  std::vector<std::pair<std::string, std::string>> modules;  ///< by name, as printed; each once
};

/// "do_work+0x4/0x40 [module]" somewhere on a console's line.
struct PrintedSymbol {
  std::size_t begin = 0, end = 0;  ///< bytes of the line
  StackFrame frame;                ///< function, offset, size, module
  bool is_pc = false;     ///< printed as the instruction that faulted, not as a call's return address
  bool own_line = false;  ///< a trace's line: those of inlined functions may stand in front of it
};

class SymbolRules {
 public:
  virtual ~SymbolRules() = default;
  /// What the file with a kernel's debug information is called where it was built.
  virtual std::string kernel_file() const { return "kernel"; }
  /// A source file that every kernel has, relative to the tree: where it lay when the kernel was compiled
  /// tells where the tree was. Empty: there is none.
  virtual std::string known_source() const { return {}; }
  /// uname -r of the kernel that the file is; empty: none, or it does not say.
  virtual std::string release(const ElfFile&) const { return {}; }
  /// Whether a report that prints this release can be of a kernel whose file states that one.
  virtual bool same_release(std::string_view printed, std::string_view of_file) const {
    return printed == of_file;
  }
  /// Whether KASLR moves what lies at this address: without its offset, the address means nothing.
  virtual bool moved_by_kaslr(std::uint64_t) const { return false; }
  virtual PrintedBuildIds build_ids(std::string_view) const { return {}; }
  /// The frame is the instruction that faulted, not a call's return address.
  virtual bool is_pc(const CrashReport&, const StackFrame&) const { return false; }
  /// The symbols with an offset on a line of a console, in order; those without a place in a file yet.
  virtual std::vector<PrintedSymbol> symbols_on(std::string_view) const { return {}; }
  /// The file, of an installed tree of modules, is one.
  virtual bool is_module(const Path& file) const { return file.extension() == ".ko"; }
  /// The name under which reports print the module in a file.
  virtual std::string module_of(const Path& file) const { return file.stem().string(); }
  /// The file with a module's symbols and debug information, for one that was stripped of them.
  virtual Path symbol_file(const Path& module) const { return module; }
  /// Reports say of a module's function which module it is in.
  virtual bool names_modules() const { return true; }
  /// A module's name as reports print it, from how people and files write it.
  virtual std::string module_name(std::string_view name) const { return std::string(name); }
};

}  // namespace kdev::guest
