#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::guest {

/// Splits a console line at its printk timestamps and takes off what stands before the message: "<4>" levels
/// (printk_get_level in kernel/printk), "[   12.345678]" and "[  T123]" (print_time and print_caller there),
/// syslog's and journalctl's "Nov 22 00:22:59 host kernel:", colours and carriage returns.
void split_linux_line(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch);

}  // namespace kdev::guest
