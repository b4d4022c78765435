#pragma once
// The debugger in a guest's kernel (ddb, kdb), as it is met on the console: what its prompt looks like, and
// the words for what kdev wants of it. Stateless and thread-safe.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdev::guest {

class DebuggerRules {
 public:
  virtual ~DebuggerRules() = default;
  virtual std::string name() const = 0;
  /// The console's last line, without a line end, is its prompt: it waits for a command.
  virtual bool at_prompt(std::string_view line) const = 0;
  /// ... its pager, which waits for a key.
  virtual bool at_pager(std::string_view line) const = 0;
  virtual std::string next_page() const = 0;  ///< what to type then
  virtual std::string leave_pager() const = 0;
  /// Commands after which answers come whole.
  virtual std::vector<std::string> prepare() const = 0;
  /// Characters that one command can have.
  virtual std::size_t longest_command() const = 0;
  /// Commands that write a kernel dump; the last one returns when it is written.
  virtual std::vector<std::string> dump(bool text) const = 0;
  /// The line says how a dump ended: "Dump complete". Nothing: it says something else.
  virtual std::optional<std::string> dump_ended(std::string_view line) const = 0;
  virtual bool dump_succeeded(std::string_view ended) const = 0;
};

}  // namespace kdev::guest
