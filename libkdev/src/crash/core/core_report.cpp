// A dump's crash report: what the kernel printed says what happened, its memory says where.
#include <algorithm>

#include "common/json.hpp"
#include "crash/core/core_state.hpp"
#include "crash/retitle.hpp"

namespace kdev {
namespace {

/// The report of the crash that the dump is of: the last one, as the buffer may hold those of boots before.
CrashReport last_report(const std::string& messages, Os os) {
  auto reports = scan_console(messages, os);
  const auto fatal =
      std::find_if(reports.rbegin(), reports.rend(), [](const CrashReport& r) { return r.panicked; });
  if (fatal != reports.rend()) return *fatal;
  CrashReport none;
  if (!reports.empty()) return reports.back();
  return none;
}

}  // namespace

void Core::State::expand_printed(CrashReport& report, StackTrace& trace) {
  std::vector<StackFrame> frames;
  for (auto& printed : trace.frames) {
    auto places = image->expand(printed, !image->is_pc(report, printed));
    if (places.empty()) places.push_back(std::move(printed));
    for (auto& place : places) {
      report.symbolized |= place.line > 0;
      frames.push_back(std::move(place));
    }
  }
  trace.frames = std::move(frames);
}

CrashReport Core::report() const {
  const std::lock_guard lock(state_->mutex);
  State& s = *state_;
  const Os os = s.guest->os();
  std::string messages = s.messages();
  const std::string panic = s.view ? json::utf8(s.rules->panic(*s.view)) : std::string();
  CrashReport report = last_report(messages, os);
  // The buffer has been lost, or was too small: the message itself is somewhere else.
  if (report.message.empty() && !panic.empty()) report = last_report(s.rules->panic_line(panic) + "\n", os);
  std::size_t printed = 0;  // the first trace that is as the kernel printed it
  const auto& threads = s.list_threads();
  const auto guilty = std::find_if(threads.begin(), threads.end(),
                                   [](const guest::ThreadState& t) { return t.thread.panicked; });
  if (guilty != threads.end()) {
    if (report.process.empty()) report.process = guilty->thread.process;
    if (report.pid < 0) report.pid = guilty->thread.pid;
    if (report.cpu < 0) report.cpu = guilty->thread.cpu;
    if (guilty->registers) {
      const auto plain = s.frames(*guilty->registers, false);
      const bool had_trace = !report.frames().empty();
      StackTrace trace{
          .name = had_trace ? report.traces[0].name : "stack of the dump", .context = {}, .frames = plain};
      if (report.traces.empty()) report.traces.emplace_back();
      report.traces[0] = std::move(trace);
      // A kernel without a debugger prints no stack: then its title could not name a function.
      if (!had_trace || report.function.empty() || report.corrupted) crash::retitle(report, os, *s.rules);
      report.traces[0].frames = s.frames(*guilty->registers, true, true);
      printed = 1;
      report.symbolized |= std::any_of(report.traces[0].frames.begin(), report.traces[0].frames.end(),
                                       [](const StackFrame& f) { return f.line > 0; });
      s.explain(report, *guilty->registers);
    }
  }
  if (s.image) {
    s.list_modules();
    for (; printed < report.traces.size(); ++printed) s.expand_printed(report, report.traces[printed]);
  }
  for (const auto& text : s.notes)
    if (std::find(report.notes.begin(), report.notes.end(), text) == report.notes.end())
      report.notes.push_back(text);
  return report;
}

}  // namespace kdev
