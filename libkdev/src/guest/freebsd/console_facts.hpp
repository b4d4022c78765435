#pragma once
#include <memory>

#include "guest/console_rules.hpp"

namespace kdev::guest {

/// Collects traces, registers, process and CPU from the lines of a FreeBSD crash report, and of what its
/// debugger prints after it.
std::unique_ptr<ReportReader> freebsd_report_reader();

}  // namespace kdev::guest
