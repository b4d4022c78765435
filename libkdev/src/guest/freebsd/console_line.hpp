#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "guest/console_rules.hpp"

namespace kdev::guest {

/// One record a line: the kernel writes its messages without a mark between them. Takes off what may stand
/// before one: "<118>" priorities and "[12.345678] " timestamps (msgbuf_addchar in kern/subr_msgbuf.c,
/// kern.msgbuf_show_timestamp), syslogd's "Nov 22 00:22:59 host kernel: ", a prompt that a panic came upon,
/// colours and carriage returns.
void split_freebsd_line(std::string_view raw, std::vector<ConsoleRecord>& out, std::string& scratch);

}  // namespace kdev::guest
