// ddb(4): sys/ddb/db_command.c (prompt, commands), db_output.c (pager), db_lex.c (lines).
#include <algorithm>

#include "guest/debugger_rules.hpp"
#include "guest/freebsd/ddb_tasks.hpp"
#include "guest/freebsd/freebsd.hpp"

namespace kdev::guest {
namespace {

constexpr std::string_view pager = "--More--";

/// What a terminal shows of a line that was written over: the pager's is, with blanks.
std::string_view shown(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line.substr(line.rfind('\r') + 1);
}

class Ddb final : public DebuggerRules {
 public:
  std::string name() const override { return "ddb"; }
  bool at_prompt(std::string_view line) const override { return shown(line) == "db> "; }
  bool at_pager(std::string_view line) const override { return shown(line).ends_with(pager); }
  std::string next_page() const override { return " "; }
  std::string leave_pager() const override { return "q"; }
  std::vector<std::string> prepare() const override { return {"set $lines = 0"}; }
  std::size_t longest_command() const override { return 118; }  // DB_MAXLINE, its line end and a zero
  std::vector<std::string> dump(bool text) const override {
    if (text) return {"textdump set", "textdump dump"};
    return {"textdump unset", "dump"};
  }
  std::optional<std::string> dump_ended(std::string_view line) const override {
    // minidump_machdep.c, kern_dump.c, db_textdump.c, db_dump(), doadump().
    for (const std::string_view said :
         {"Dump complete", "Dump failed", "Dump aborted", "Cannot dump", "Textdump complete",
          "Textdump: Error", "Textdump: Insufficient space", "Insufficient space on dump partition"})
      if (line.starts_with(said)) return std::string(line);
    return std::nullopt;
  }
  bool dump_succeeded(std::string_view ended) const override {
    return ended.starts_with("Dump complete") || ended.starts_with("Textdump complete");
  }

  // sys/kern/subr_kdb.c
  std::vector<std::string> list_backends() const override {
    return {"sysctl", "-n", "debug.kdb.available", "debug.kdb.current"};
  }
  Backends read_backends(std::string_view output) const override {
    Backends backends;
    std::string* word = nullptr;
    for (const char c : output.substr(0, output.find('\n'))) {
      if (c == ' ')
        word = nullptr;
      else
        *(word ? word : word = &backends.available.emplace_back()) += c;
    }
    output.remove_prefix(std::min(output.size(), output.find('\n')));
    for (const char c : output)
      if (c != '\n' && c != ' ') backends.current += c;
    return backends;
  }
  std::vector<std::string> select_backend(const std::string& name) const override {
    return {"sysctl", "debug.kdb.current=" + name};
  }
  std::vector<std::string> enter(DebuggerEntry by) const override {
    if (by == DebuggerEntry::panic) return {"sysctl", "debug.kdb.panic=1"};
    if (by == DebuggerEntry::sysctl || by == DebuggerEntry::automatic) return {"sysctl", "debug.kdb.enter=1"};
    return {};
  }
  std::string backtrace(int task) const override { return task ? "bt " + std::to_string(task) : "bt"; }
  std::string tasks() const override { return "ps"; }
  std::vector<DebuggerTask> read_tasks(std::string_view answer) const override {
    return read_ddb_tasks(answer);
  }
  std::optional<std::vector<std::string>> set_script(const std::string& reason,
                                                     const std::vector<std::string>& commands,
                                                     std::string& why) const override {
    // sys/ddb/db_script.c; DB_MAXSCRIPTNAME and DB_MAXSCRIPTLEN with their zeros.
    const std::string name = "kdb.enter." + reason;
    std::string script;
    for (const std::string& command : commands) {
      if (command.find_first_of(";\r\n") != std::string::npos || command.empty()) {
        why = "\"" + command + "\" is not one command";
        return std::nullopt;
      }
      script += (script.empty() ? "" : "; ") + command;
    }
    if (name.size() >= 32 || reason.find_first_of("= ;") != std::string::npos || reason.empty()) {
      why = "\"" + reason + "\" is no reason for ddb to be entered";
      return std::nullopt;
    }
    if (script.size() >= 128) {
      why = "a script has 127 characters at most, this one " + std::to_string(script.size());
      return std::nullopt;
    }
    if (script.empty()) return {{"sysctl", "debug.ddb.scripting.unscript=" + name}};
    return {{"sysctl", "debug.ddb.scripting.script=" + name + "=" + script}};
  }
  std::string stub() const override { return "gdb"; }
  std::string recall() const override { return "\x03"; }
  std::string resume() const override { return "continue"; }
  bool stopped_for_backend(std::string_view line) const override {
    return line.starts_with("KDB: enter: ") || line.starts_with("Switching to gdb ") ||
           (line.starts_with("NMI") && line.ends_with("going to debugger"));
  }
};

}  // namespace

const DebuggerRules& freebsd_debugger_rules() {
  static const Ddb rules;
  return rules;
}

}  // namespace kdev::guest
