// ddb(4): sys/ddb/db_command.c (prompt, commands), db_output.c (pager), db_lex.c (lines).
#include "guest/debugger_rules.hpp"
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
};

}  // namespace

const DebuggerRules& freebsd_debugger_rules() {
  static const Ddb rules;
  return rules;
}

}  // namespace kdev::guest
