#pragma once
#include <ctime>
#include <kdev/crash.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crash/debug_info.hpp"
#include "crash/debuginfod.hpp"
#include "guest/symbol_rules.hpp"

namespace kdev::crash {

/// The files with the symbols of a kernel and of its modules, found, opened, and replaced by what a
/// debuginfod server has where they hold no debug information. Not thread-safe.
class SymbolFiles {
 public:
  /// Errors as Symbolizer's.
  explicit SymbolFiles(SymbolSources sources);

  const SymbolSources& sources() const { return sources_; }
  const guest::SymbolRules& rules() const { return rules_; }
  const DebugInfo& kernel() const { return *kernel_; }
  /// The kernel as it was linked, with its data: the debug information may be a file without. Null: it was
  /// not given.
  const ElfFile* linked_kernel() const;
  /// The name of the kernel's file, for people.
  std::string kernel_name() const;
  /// Where the source is, when that was said.
  Path source() const;
  Debuginfod& debuginfod() { return debuginfod_; }
  const Debuginfod& debuginfod() const { return debuginfod_; }

  /// Build ids that a report has of modules, by their names in it: what to ask for where there is no file.
  void expect(const std::vector<std::pair<std::string, std::string>>& build_ids);
  /// Null when there is no file for it, or it cannot be read. One that was built anew is opened anew.
  const DebugInfo* module(const std::string& printed);
  /// Why there is none.
  std::string module_problem(const std::string& printed) const;
  /// The module with such a function, where reports do not say; empty: none. One that was given comes before
  /// those of the kernel's tree, which may not even be loaded.
  std::string module_with(std::string_view symbol, std::uint64_t size, std::uint64_t offset);
  /// Modules that were installed since are looked for once more when one is not found. To be called at the
  /// beginning of what a user asks for: not for each frame.
  void refresh() { listed_ = false; }

  const Path& index_folder() const { return index_folder_; }
  /// The files that have none yet, the kernel first.
  std::vector<Path> without_index() const;
  /// Takes those that are there by now.
  void use_indexes();

 private:
  struct Module {
    std::unique_ptr<DebugInfo> info;  // null: could not be opened
    std::string problem;
    std::string id;  // as printed; empty: not
    Path file;
    std::uintmax_t size = 0;
    std::time_t changed = 0;
  };
  std::unique_ptr<DebugInfo> open_kernel();
  void open_module(Module& module);
  void list_modules();
  Path file_of(const std::string& name);
  std::unique_ptr<DebugInfo> fetched(const std::string& build_id, const std::string& attempted);

  SymbolSources sources_;
  const guest::SymbolRules& rules_;
  Path index_folder_;
  Debuginfod debuginfod_;
  std::unique_ptr<DebugInfo> stripped_;  // the kernel as it was given, when kernel_ is another file
  std::unique_ptr<DebugInfo> kernel_;
  std::map<std::string, Path> module_files_;  // by name
  std::map<std::string, Module> modules_;     // likewise, those asked for
  std::map<std::string, std::string> build_ids_;
  bool listed_ = false;
};

}  // namespace kdev::crash
