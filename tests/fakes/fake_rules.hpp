#pragma once
// Console rules for tests of what only asks "begins, ends, fatal?": three words, no formats.
#include "guest/console_rules.hpp"
#include "guest/crash_format.hpp"

namespace kdev::fakes {

struct FakeRules : guest::ConsoleRules {
  bool begins_report(std::string_view line) const override { return line.find("BUG") != line.npos; }
  bool ends_report(std::string_view line) const override { return line.find("end trace") != line.npos; }
  bool is_fatal(std::string_view line) const override { return line.find("panic") != line.npos; }

  std::string_view marks() const override { return "BUG"; }
  void split(std::string_view raw, std::vector<guest::ConsoleRecord>& out, std::string&) const override { out.push_back({raw, {}, false}); }
  const std::vector<guest::CrashFormat>& formats() const override { return formats_; }
  const guest::FunctionRules& functions() const override { return functions_; }
  int format_of(const guest::ConsoleRecord&) const override { return -1; }
  bool is_preamble(std::string_view) const override { return false; }
  std::unique_ptr<guest::ReportReader> reader() const override { return nullptr; }

 private:
  std::vector<guest::CrashFormat> formats_;
  guest::FunctionRules functions_;
};

}  // namespace kdev::fakes
