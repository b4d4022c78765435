#pragma once
#include <kdev/crash.hpp>
#include <mutex>
#include <optional>

#include "crash/fault.hpp"
#include "crash/source_text.hpp"
#include "crash/symbol_files.hpp"
#include "crash/symbol_place.hpp"

namespace kdev {

/// All but the mutex is guarded by it.
struct Symbolizer::State {
  explicit State(SymbolSources sources);

  /// The frames of a symbol and an offset as printed. `place`: how they were found.
  std::vector<StackFrame> at_symbol(const StackFrame& printed, bool return_address,
                                    crash::SymbolPlace* place = nullptr);
  void symbolize(CrashReport& report);
  /// What a user should know of the files themselves.
  std::vector<std::string> notes() const;

  std::mutex mutex;
  crash::SymbolFiles files;
  crash::SourceText source;
  std::string index_problem;  // empty: none

 private:
  void check_kernel(CrashReport& report);
  /// The modules, "" for the kernel, whose files are of another build.
  std::vector<std::string> check_functions(CrashReport& report);
  /// The frame of the instruction that faulted; of a jump to what is no code, of the call before it.
  crash::FaultPlace fault_place(const CrashReport& report);
  /// What the fault was to reach.
  void explain(CrashReport& report);
  std::vector<StackFrame> found(const CrashReport& report, const StackFrame& frame, bool other_build,
                                std::vector<std::string>& notes);

  std::optional<std::string> release_;  // of the kernel's file, once asked for
};

}  // namespace kdev
