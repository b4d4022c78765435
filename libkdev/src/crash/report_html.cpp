// One self-contained fragment for a notebook: no scripts, no classes that could meet others', colours that
// follow the page (currentColor, translucent backgrounds), so that it reads on light and dark.
#include <fmt/format.h>

#include "crash/report_view.hpp"

namespace kdev {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\t':
      case '\n':
        out += c;
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
  }
  return out;
}

constexpr std::string_view mono =
    "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;";
constexpr std::string_view soft = "opacity:.7;";

std::string details(std::string_view summary, const std::string& body, bool open) {
  return fmt::format(
      "<details{} style=\"margin:.4em 0\"><summary style=\"cursor:pointer\">{}</summary>{}</details>",
      open ? " open" : "", escaped(summary), body);
}

std::string preformatted(std::string_view text) {
  return fmt::format(
      "<pre style=\"{}font-size:.85em;line-height:1.35;margin:.3em 0;padding:.5em "
      ".7em;max-height:24em;overflow:auto;"
      "background:rgba(128,128,128,.12);color:inherit;border-radius:4px\">{}</pre>",
      mono, escaped(text));
}

std::string variables_body(const StackFrame& frame) {
  std::string body =
      "<div style=\"display:grid;grid-template-columns:max-content minmax(0,1fr);gap:0 "
      ".8em;padding-left:1.5em;"
      "overflow-wrap:anywhere\">";
  for (const auto* list : {&frame.args, &frame.locals})
    for (const auto& v : *list)
      body += fmt::format("<span title=\"{}\">{}</span><span{}>{}</span>", escaped(v.type), escaped(v.name),
                          v.available ? "" : fmt::format(" style=\"{}\"", soft), escaped(v.value));
  return body + "</div>";
}

std::string frame_row(const StackFrame& frame, bool guilty) {
  std::string name = escaped(view::label(frame));
  if (guilty) name = fmt::format("<b style=\"color:#d9534f\">{}</b>", name);
  std::string row = fmt::format("<div style=\"padding:.1em 0 .1em {}em;{}\">{}", frame.inlined ? "1.2" : "0",
                                frame.reliable ? "" : "opacity:.75;", name);
  if (frame.inlined) row += fmt::format(" <span style=\"{}\">inlined</span>", soft);
  if (!frame.reliable) row += " <span title=\"found on the stack, may be stale\">?</span>";
  if (!frame.file.empty())
    row += fmt::format(" <span style=\"{}\">{}</span>", soft, escaped(view::place(frame)));
  if (!frame.source.empty())
    row += fmt::format("<div style=\"padding-left:1.5em;white-space:pre-wrap;{}\">{}</div>", soft,
                       escaped(frame.source));
  if (const auto counts = view::variable_counts(frame); !counts.empty())
    row += details(counts, variables_body(frame), guilty);
  return row + "</div>";
}

std::string trace_body(const StackTrace& trace, const std::string& function) {
  std::string body =
      fmt::format("<div style=\"{}font-size:.85em;line-height:1.35;padding:.2em .7em\">", mono);
  for (std::size_t i = 0; i < trace.frames.size();) {
    const auto& frame = trace.frames[i];
    const std::size_t times = view::repeats(trace.frames, i);
    i += times > 3 ? times : 1;
    body += frame_row(frame, !function.empty() && frame.function == function);
    if (times > 3) body += fmt::format("<div style=\"{}\">... {} times</div>", soft, times);
  }
  return body + "</div>";
}

std::string registers_body(const CrashReport& report) {
  std::string body = fmt::format(
      "<div style=\"{}font-size:.85em;display:grid;grid-template-columns:repeat(auto-fill,minmax(17em,1fr));"
      "gap:.1em 1em;padding:.2em .7em\">",
      mono);
  for (const auto& name : view::register_order(report.registers))
    body += fmt::format(
        "<div style=\"{}\"><span style=\"display:inline-block;min-width:4.5em;{}\">{}</span>{}</div>",
        report.registers.at(name).size() > 20 ? "grid-column:span 2" : "", soft, escaped(name),
        escaped(report.registers.at(name)));
  return body + "</div>";
}

}  // namespace

std::string StackTrace::to_html() const {
  return "<div style=\"color:inherit;max-width:72em\">" +
         details(fmt::format("{} ({} frames)", name.empty() ? "Trace" : name, frames.size()),
                 trace_body(*this, {}), true) +
         "</div>";
}

std::string CrashReport::to_html() const {
  std::string out =
      "<div style=\"border-left:4px solid #d9534f;padding:.4em .9em;margin:.5em "
      "0;color:inherit;max-width:72em\">";
  out += fmt::format("<div style=\"font-size:1.15em;font-weight:600\">{}</div>",
                     escaped(title.empty() ? message : title));
  if (const auto text = view::facts(*this); !text.empty())
    out += fmt::format("<div style=\"{}\">{}</div>", soft, escaped(text));
  if (const auto text = view::flags(*this); !text.empty())
    out += fmt::format("<div style=\"{}\">{}</div>", soft, escaped(text));
  if (const auto* frame = guilty()) {
    out += fmt::format(
        "<div style=\"margin:.5em 0\"><span style=\"{}\">{}</span> <span style=\"{}\">{}</span></div>", mono,
        escaped(frame->function), soft, escaped(view::place(*frame)));
    if (!frame->source.empty()) out += preformatted(fmt::format("{:>5}  {}", frame->line, frame->source));
  }
  for (const auto& text : view::memory_facts(*this))
    out += fmt::format("<div style=\"{}font-size:.9em;margin:.15em 0\">{}</div>", mono, escaped(text));
  for (const auto& text : notes)
    out += fmt::format(
        "<div style=\"margin:.3em 0;padding:.2em .6em;background:rgba(240,173,78,.25);"
        "border-radius:4px\">{}</div>",
        escaped(text));
  bool first = true;
  for (const auto& trace : traces) {
    const std::string name = trace.name.empty() ? "Trace" : trace.name;
    out +=
        details(fmt::format("{} ({} frames)", name, trace.frames.size()), trace_body(trace, function), first);
    first = false;
  }
  if (!dump.empty()) out += fmt::format("<div style=\"{}\">dump: {}</div>", soft, escaped(dump));
  if (!registers.empty()) out += details("Registers", registers_body(*this), false);
  for (const auto& answer : debugger) {
    std::string body = preformatted(answer.text);
    for (const auto& trace : answer.traces)
      if (symbolized) body += trace_body(trace, {});
    out += details(fmt::format("Debugger: {}{}", answer.command, answer.complete ? "" : " (cut off)"), body,
                   false);
  }
  if (!text.empty()) out += details("The report as printed", preformatted(text), false);
  if (!dmesg.empty()) out += details("Console before it", preformatted(dmesg), false);
  return out + "</div>";
}

}  // namespace kdev
