#pragma once
#include <memory>

#include "guest/console_rules.hpp"

namespace kdev::guest {

/// Collects traces, registers, process, CPU, taint and release from the lines of a Linux crash report.
std::unique_ptr<ReportReader> linux_report_reader();

}  // namespace kdev::guest
