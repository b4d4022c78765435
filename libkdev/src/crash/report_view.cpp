#include "crash/report_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace kdev::view {

constexpr std::string_view optimized_out = "<optimized out>";

std::string label(const StackFrame& frame) {
  std::string out = frame.function.empty() ? fmt::format("{:#x}", frame.address) : frame.function;
  if (!frame.inlined && (frame.offset || frame.size)) out += fmt::format("+{:#x}", frame.offset);
  if (!frame.inlined && frame.size) out += fmt::format("/{:#x}", frame.size);
  if (!frame.module.empty()) out += fmt::format(" [{}]", frame.module);
  return out;
}

std::string place(const StackFrame& frame) {
  // Clang marks code of its own with line 0.
  return frame.line && !frame.file.empty() ? fmt::format("{}:{}", frame.file, frame.line) : frame.file;
}

std::string variable_counts(const StackFrame& frame) {
  const auto count = [](std::size_t n, const char* what) {
    return n ? fmt::format("{} {}{}", n, what, n == 1 ? "" : "s") : std::string();
  };
  const auto args = count(frame.args.size(), "argument"), locals = count(frame.locals.size(), "local");
  return args + (args.empty() || locals.empty() ? "" : ", ") + locals;
}

std::string variables(const StackFrame& frame) {
  std::string out;
  std::vector<std::string> lost;
  for (const auto* list : {&frame.args, &frame.locals})
    for (const auto& v : *list)
      if (v.available || v.value != optimized_out)
        out += fmt::format("{} = {}\n", v.name, v.value);
      else
        lost.push_back(v.name);
  if (!lost.empty()) out += fmt::format("optimized out: {}\n", fmt::join(lost, ", "));
  return out;
}

std::size_t repeats(const std::vector<StackFrame>& frames, std::size_t at) {
  std::size_t n = 1;
  while (at + n < frames.size() && label(frames[at + n]) == label(frames[at]) &&
         frames[at + n].inlined == frames[at].inlined && frames[at + n].line == frames[at].line)
    ++n;
  return n;
}

std::string facts(const CrashReport& report) {
  std::vector<std::string> parts;
  std::string who = report.process.empty() ? std::string() : report.process;
  if (report.pid >= 0) who += fmt::format("{}({})", who.empty() ? "pid " : " ", report.pid);
  if (report.cpu >= 0) who += fmt::format("{}CPU {}", who.empty() ? "" : " on ", report.cpu);
  if (!who.empty()) parts.push_back(who);
  if (!report.release.empty()) parts.push_back("kernel " + report.release);
  if (!report.taint.empty()) parts.push_back(report.taint);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string flags(const CrashReport& report) {
  std::vector<std::string> parts;
  if (!report.type.empty()) parts.push_back("type " + report.type);
  if (report.panicked && report.kind != "panic") parts.push_back("the kernel panicked");
  if (report.corrupted) parts.push_back("the report is incomplete or mixed with another");
  if (report.kaslr_offset && *report.kaslr_offset != 0)
    parts.push_back(fmt::format("KASLR offset {:#x}", *report.kaslr_offset));
  return fmt::format("{}", fmt::join(parts, ", "));
}

namespace {

std::string sentence(const SlabObject& o) {
  std::string text = o.size ? fmt::format("{}-byte object", o.size) : std::string("object");
  if (!o.cache.empty()) text += " of " + o.cache;
  if (o.address) text += fmt::format(" at {:#x}", o.address);
  if (!o.state.empty()) text = o.state + " " + text;
  if (o.offset) {
    const auto end = static_cast<std::int64_t>(o.size);
    if (*o.offset < 0)
      text += fmt::format(", accessed {} bytes before it", -*o.offset);
    else if (end && *o.offset >= end)
      text += fmt::format(", accessed {} bytes behind it", *o.offset - end);
    else
      text += fmt::format(", accessed at offset {}", *o.offset);
  }
  const auto by = [&](const char* what, const std::string& function, int pid) {
    if (function.empty()) return;
    text += fmt::format(", {} by {}", what, function);
    if (pid >= 0) text += fmt::format(" (pid {})", pid);
  };
  by("allocated", o.allocated_by, o.allocated_pid);
  by("freed", o.freed_by, o.freed_pid);
  if (!o.last_user.empty()) text += ", last used by " + o.last_user;
  return text;
}

}  // namespace

std::vector<std::string> memory_facts(const CrashReport& report) {
  std::vector<std::string> list;
  if (report.fault) {
    list.push_back(report.fault->explanation);
    if (!report.fault->instruction.empty()) list.push_back("instruction: " + report.fault->instruction);
  }
  if (report.object) list.push_back(sentence(*report.object));
  for (const auto& p : report.poisons)
    list.push_back(fmt::format("{} = {:#x}: {}", p.name, p.value, p.meaning));
  return list;
}

std::vector<std::string> register_order(const std::map<std::string, std::string>& registers) {
  static const std::vector<std::string> first = {
      "RIP", "PC",  "pc",  "RSP", "sp",  "EFLAGS", "RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP",
      "R08", "R09", "R10", "R11", "R12", "R13",    "R14", "R15", "CR2", "CR3", "CR0", "CR4"};
  std::vector<std::string> order;
  for (const auto& name : first)
    if (registers.count(name)) order.push_back(name);
  for (const auto& [name, value] : registers)
    if (std::find(first.begin(), first.end(), name) == first.end()) order.push_back(name);
  return order;
}

std::string_view last_lines(std::string_view text, std::size_t count) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t at = text.size();
  for (std::size_t i = 0; i < count && at != std::string_view::npos && at > 0; ++i)
    at = text.rfind('\n', at - 1);
  return at == std::string_view::npos || at == 0 ? text : text.substr(at + (text[at] == '\n'));
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    out += indent;
    for (const char c : text.substr(0, newline))
      if (c == '\t' || static_cast<unsigned char>(c) >= 0x20)
        out += c;  // a terminal must not obey a console's bytes
    out += '\n';
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  return out;
}

}  // namespace kdev::view
