#pragma once
// A faulting access explained: what a report prints of it, and with the debug information which member of
// which structure it meant.
#include <functional>
#include <kdev/crash.hpp>
#include <map>
#include <string>

#include "crash/debug_info.hpp"
#include "guest/console_rules.hpp"
#include "guest/fault_rules.hpp"

namespace kdev::crash {

/// Fills in CrashReport::fault, poisons and object as far as the report's text tells.
void read_facts(CrashReport& report, const guest::ConsoleRules& rules);

/// Code that faulted.
struct FaultPlace {
  const DebugInfo* info = nullptr;
  std::uint64_t pc = 0;         ///< in its addresses
  bool return_address = false;  ///< what faulted was called from before it: it is no code
  std::string source{};         ///< the line's text; empty: not found
  /// Reads code by the file's addresses, as it was run.
  std::function<std::string(std::uint64_t, std::size_t)> code{};
};
/// Finds the members. `registers`: at the fault, by names as reports print them; those that are not known
/// left out.
void explain_fault(FaultInfo& fault, const FaultPlace& place,
                   const std::map<std::string, std::uint64_t>& registers, const guest::FaultRules& rules);
/// The numbers among a report's registers.
std::map<std::string, std::uint64_t> numeric_registers(const CrashReport& report);
/// FaultInfo::explanation.
std::string explanation_of(const FaultInfo& fault);

}  // namespace kdev::crash
