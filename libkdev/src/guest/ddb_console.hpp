#pragma once
#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guest/ddb_report.hpp"
#include "guest/format_table.hpp"

namespace kdev::guest {

/// What a console says of a kernel whose debugger is ddb and that is no guest of kdev's. All RE2, one view
/// for as long as the process runs.
struct DdbConsole {
  DdbWords report;
  std::string_view marks;     ///< see ConsoleRules::marks()
  std::string_view fatal;     ///< how lines begin after which the kernel does not go on
  std::string_view prefix;    ///< in front of a message: time, syslog, a login's prompt
  std::string_view preamble;  ///< how lines begin that announce a report
};

/// The rules for it. `console` must stay.
class DdbConsoleRules : public ConsoleRules {
 public:
  DdbConsoleRules(const DdbConsole& console, std::vector<CrashFormat> formats, FunctionRules functions);

  std::string_view marks() const override { return console_.marks; }
  bool begins_report(std::string_view line) const override;
  bool ends_report(std::string_view line) const override;
  bool is_fatal(std::string_view line) const override;
  void split(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch) const override;
  const std::vector<CrashFormat>& formats() const override { return table_.formats(); }
  const FunctionRules& functions() const override { return functions_; }
  int format_of(const ConsoleRecord& record) const override;
  bool is_preamble(std::string_view text) const override;
  std::unique_ptr<ReportReader> reader() const override { return ddb_report_reader(console_.report); }

 private:
  /// The message of a line, which holds one at most here.
  ConsoleRecord record_of(std::string_view raw, std::string& scratch) const;

  const DdbConsole& console_;
  const re2::RE2 end_, fatal_, prefix_, preamble_;
  FormatTable table_;
  FunctionRules functions_;
};

}  // namespace kdev::guest
