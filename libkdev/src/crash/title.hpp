#pragma once
#include <kdev/crash.hpp>
#include <memory>
#include <string_view>

#include "guest/console_rules.hpp"

namespace kdev::crash {

/// A guest's crash table. Its regular expressions are compiled when a report first needs them. Thread-safe.
class TitleTable {
 public:
  explicit TitleTable(const guest::ConsoleRules& rules);
  ~TitleTable();
  /// The table of these rules, one for the process.
  static const TitleTable& of(const guest::ConsoleRules& rules);

  /// All of it at once. std::logic_error: a row is wrong.
  void compile() const;

  /// Fills kind, title, type, alternative_titles and function of a report whose traces are there, and
  /// `corrupted` when what the title needs is missing. `before`, `head`: the lines before and at the
  /// beginning of the report, without prefixes. `pc`: the kernel's program counter, or null.
  void name(CrashReport& report, int format, std::string_view before, std::string_view head,
            const StackFrame* pc) const;

  /// The function that a trace blames; empty: none.
  std::string blamed(const StackTrace& trace) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Numbers, addresses and offsets in text made equal for all occurrences of one crash: NUM, ADDR.
std::string normalized(std::string_view text);

}  // namespace kdev::crash
