// The compact form for a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "crash/report_view.hpp"

namespace kdev {
namespace {

constexpr std::size_t dmesg_lines = 12;

void print_trace(std::string& out, const StackTrace& trace) {
  out += fmt::format("\n{}{}:\n", trace.name.empty() ? "Trace" : trace.name,
                     trace.context.empty() ? "" : " <" + trace.context + ">");
  std::size_t width = 0;
  for (const auto& frame : trace.frames)
    width = std::max(width, std::min<std::size_t>(view::label(frame).size(), 48));
  for (std::size_t i = 0; i < trace.frames.size();) {
    const auto& frame = trace.frames[i];
    const std::size_t times = view::repeats(trace.frames, i);
    i += times > 3 ? times : 1;
    const std::string where = view::place(frame);
    const char* mark = frame.inlined ? "  \\ " : frame.reliable ? "    " : "  ? ";
    if (where.empty())
      out += fmt::format("{}{}\n", mark, view::label(frame));
    else
      out += fmt::format("{}{:<{}}  {}\n", mark, view::label(frame), width, where);
    out += view::indented(view::variables(frame), "        ");
    if (times > 3) out += fmt::format("    ... {} times\n", times);
  }
}

}  // namespace

std::string CrashReport::to_text() const {
  std::string out = title.empty() ? message : title;
  out += '\n';
  if (const auto* frame = guilty()) {
    out += fmt::format("  at {} {}\n", frame->function, view::place(*frame));
    if (!frame->source.empty()) out += fmt::format("     {:>5} | {}\n", frame->line, frame->source);
  } else if (!function.empty()) {
    out += fmt::format("  in {}\n", function);
  }
  if (const auto facts = view::facts(*this); !facts.empty()) out += "  " + facts + "\n";
  if (const auto flags = view::flags(*this); !flags.empty()) out += "  " + flags + "\n";
  for (const auto& text : view::memory_facts(*this)) out += "  " + text + "\n";
  for (const auto& text : notes) out += "  note: " + text + "\n";
  if (!dump.empty()) out += "  dump: " + dump + "\n";
  if (!message.empty() && message != title) out += "  " + message + "\n";

  if (!registers.empty()) {
    out += "\nRegisters:\n";
    int column = 0;
    for (const auto& name : view::register_order(registers)) {
      const auto& value = registers.at(name);
      const bool wide = value.size() > 16;
      if (wide && column) out += '\n', column = 0;
      out += fmt::format("  {:>6} {:<16}", name, value);
      if (wide || ++column == 3) out += '\n', column = 0;
    }
    if (column) out += '\n';
  }
  for (const auto& trace : traces) print_trace(out, trace);
  for (const auto& answer : debugger) {
    out += fmt::format("\nDebugger: {}{}\n{}", answer.command, answer.complete ? "" : " (cut off)",
                       view::indented(answer.text, "  "));
    if (!out.ends_with('\n')) out += '\n';
  }
  if (const auto tail = view::last_lines(dmesg, dmesg_lines); !tail.empty())
    out += "\nConsole before it:\n" + view::indented(tail, "  ");
  return out;
}

}  // namespace kdev
