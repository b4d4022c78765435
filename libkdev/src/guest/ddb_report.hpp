#pragma once
#include <memory>
#include <string_view>

#include "guest/console_rules.hpp"

namespace kdev::guest {

/// What differs between the kernels whose debugger is ddb. All RE2.
struct DdbWords {
  std::string_view known;   ///< lines of a report
  std::string_view end;     ///< a trace's last line
  std::string_view reboot;  ///< the machine goes down or comes up
};

/// Collects traces, process and CPU from a panic, and from what ddb says after it. `words` must stay.
std::unique_ptr<ReportReader> ddb_report_reader(const DdbWords& words);

}  // namespace kdev::guest
