#pragma once
// A debugger for tests: prompt "dbg> ", pager "more>".
#include "guest/debugger_rules.hpp"

namespace kdev::fakes {

struct FakeDebugger : guest::DebuggerRules {
  std::string name() const override { return "dbg"; }
  bool at_prompt(std::string_view line) const override { return line == "dbg> "; }
  bool at_pager(std::string_view line) const override { return line == "more>"; }
  std::string next_page() const override { return " "; }
  std::string leave_pager() const override { return "q"; }
  std::vector<std::string> prepare() const override { return {"lines 0"}; }
  std::size_t longest_command() const override { return 80; }
  std::vector<std::string> dump(bool text) const override { return {text ? "textdump" : "dump"}; }
  std::optional<std::string> dump_ended(std::string_view line) const override {
    return line.starts_with("dumped") ? std::optional(std::string(line)) : std::nullopt;
  }
  std::vector<std::string> list_backends() const override { return {"backends"}; }
  Backends read_backends(std::string_view) const override { return {{"dbg", "stub"}, "dbg"}; }
  std::vector<std::string> select_backend(const std::string& name) const override { return {"select", name}; }
  std::vector<std::string> enter(DebuggerEntry) const override { return {"enter"}; }
  std::string backtrace(int) const override { return "bt"; }
  std::string tasks() const override { return "ps"; }
  std::vector<DebuggerTask> read_tasks(std::string_view) const override { return {}; }
  std::string recall() const override { return "\x03"; }
  std::optional<std::vector<std::string>> set_script(const std::string&, const std::vector<std::string>&,
                                                     std::string&) const override {
    return std::nullopt;
  }
  std::string stub() const override { return "stub"; }
  std::string resume() const override { return "go"; }
  bool stopped_for_backend(std::string_view line) const override { return line.starts_with("stopped"); }
  bool dump_succeeded(std::string_view ended) const override { return ended == "dumped"; }
};

}  // namespace kdev::fakes
